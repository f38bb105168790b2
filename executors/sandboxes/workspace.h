// SPDX-License-Identifier: Apache-2.0
// The workspace of one slot: a writable layer over a read-only tree, handed on from job to job
// while nobody wrote to it. Where overlays or mounts are refused, a copy. Used by the keeper, on
// its thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

#include "engine/base/status.h"
#include "engine/ports/sandbox.h"
#include "executors/sandboxes/file_descriptor.h"
#include "executors/sandboxes/janitor.h"
#include "executors/sandboxes/mount_namespace.h"

namespace executors::sandboxes {

/// `<run>/layers`: what the slots of a run wrote; `ReapLeftovers` removes it.
std::string LayersFolder(const std::string& run_folder);

class Workspace {
 public:
  Workspace(std::string run_folder, std::uint32_t slot, bool allow_mounts);

  /// Makes the workspace as it was in the beginning and adds what was found out to `facts`. Call
  /// only while no process of the slot is alive.
  engine::base::Status Prepare(const engine::ports::WorkspaceMount& mount,
                               engine::ports::SandboxFacts& facts);
  /// Unmounts, and lets the janitor remove the layers.
  void TearDown();

 private:
  enum class Kind { kUndecided, kOverlay, kBoundCopy, kCopy };
  /// A writable layer and how it was when it was fresh.
  struct Layer {
    std::string folder;  ///< holds `upper` and `work`
    FileDescriptor upper;
    mode_t mode = 0;
    uid_t owner = 0;
    gid_t group = 0;
  };

  void Decide(engine::ports::SandboxFacts& facts);
  bool Untouched();
  void Discard();
  engine::base::Status MakeOverlay(const std::string& lower);
  engine::base::Status MakeCopy(const std::string& lower, engine::ports::SandboxFacts& facts);
  engine::base::Status Bind(const std::string& folder);
  engine::base::StatusOr<std::string> LowerOrEmpty();
  void Describe(engine::ports::SandboxFacts& facts) const;
  std::string FreshFolder();

  std::string run_folder_;
  std::uint32_t slot_;
  bool allow_mounts_;
  std::string layers_;  ///< of this keeper
  std::uint64_t folders_ = 0;

  Kind kind_ = Kind::kUndecided;
  bool namespace_entered_ = false;
  bool in_user_namespace_ = false;
  bool reported_copies_ = false;
  engine::ports::WorkspaceMount mount_;
  bool mounted_ = false;
  std::optional<Layer> layer_;
  std::string copy_;  ///< the folder that is the workspace, when it is a copy
  std::optional<OverlayMounter> overlays_;
  MountWatch watch_;
  Janitor janitor_;
};

}  // namespace executors::sandboxes
