// SPDX-License-Identifier: Apache-2.0
// One process owns a run. The file `lock` in the run's folder names it (boot id, pid, start time)
// and is locked with flock as long as it lives, so a dead owner never keeps a run; where the file
// system knows no flock, the name alone decides.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/base/status.h"
#include "engine/ports/run_queries.h"

namespace apps {

class RunLock {
 public:
  /// `AlreadyExists`, naming the pid, when a living process owns the run.
  static engine::base::StatusOr<std::unique_ptr<RunLock>> Acquire(const std::string& run_folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  explicit RunLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// This process.
engine::ports::RunOwner ThisProcess();
/// Whether that very process still lives on this machine.
bool IsAlive(const engine::ports::RunOwner& owner);
/// The living process that owns the run; nothing when there is none.
std::optional<engine::ports::RunOwner> OwnerOf(const std::string& run_folder);

/// Three lines of text, as they stand in the file.
std::string EncodeOwner(const engine::ports::RunOwner& owner);
std::optional<engine::ports::RunOwner> DecodeOwner(const std::string& text);

}  // namespace apps
