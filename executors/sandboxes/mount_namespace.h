// SPDX-License-Identifier: Apache-2.0
// A mount namespace of the caller's own, with or without root's rights, and what is mounted in it.
// For a single-threaded process.
#pragma once

#include <set>
#include <string>

#include "engine/base/status.h"
#include "executors/sandboxes/file_descriptor.h"

namespace executors::sandboxes {

enum class NamespaceKind {
  kPrivileged,  ///< root's: everything works as outside
  kUser,        ///< with a user namespace: set-user-id programs do not get their rights
};

/// Moves the caller into a mount namespace that receives the host's later mounts and passes none
/// on. Without root's rights also into a user namespace in which only the caller's own user and
/// group exist, under their own numbers. On failure nothing has changed.
engine::base::StatusOr<NamespaceKind> EnterMountNamespace(const std::string& scratch_folder);

struct OverlayFolders {
  std::string lower;
  std::string upper;
  std::string work;
};

/// Mounts overlays; remembers which options this kernel takes. The folders' names may hold
/// anything.
class OverlayMounter {
 public:
  explicit OverlayMounter(NamespaceKind kind) : kind_(kind) {}
  engine::base::Status Mount(const OverlayFolders& folders, const std::string& point);

 private:
  NamespaceKind kind_;
  std::size_t first_choice_ = 0;
};

/// Notices what others mount in this namespace. Costs a system call while nothing changes.
class MountWatch {
 public:
  /// What is mounted now is to stay. `own_point`: where the caller's own mount is, if it has one.
  void Accept(const std::string& own_point);
  /// Unmounts what was mounted since by other than the host. True when there was anything, or when
  /// the caller's own mount is gone.
  bool Restore();

 private:
  FileDescriptor table_;
  std::string own_point_;
  int own_id_ = 0;
  std::set<int> accepted_;
};

}  // namespace executors::sandboxes
