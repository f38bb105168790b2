// SPDX-License-Identifier: Apache-2.0
// The socket through which a keeper that outlived its owner gets the next one: mode 0600, in the
// notes folder of the run, for the keeper's own user only.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/status.h"
#include "executors/sandboxes/file_descriptor.h"

namespace executors::sandboxes {

/// The keeper's side.
class KeeperDoor {
 public:
  KeeperDoor() = default;
  /// Makes the socket; one that a dead keeper left is replaced.
  static engine::base::StatusOr<KeeperDoor> Open(const std::string& run_folder, std::uint32_t slot);

  [[nodiscard]] int fd() const { return listener_.get(); }
  /// The next owner, if one waits and may be.
  FileDescriptor Accept() const;
  /// Nobody comes in any more.
  void Close();

 private:
  std::string path_;
  FileDescriptor listener_;
};

/// The owner's side: `NotFound` when no keeper serves this slot.
engine::base::StatusOr<FileDescriptor> KnockAtKeeper(const std::string& run_folder,
                                                     std::uint32_t slot);

}  // namespace executors::sandboxes
