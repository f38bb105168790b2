// SPDX-License-Identifier: Apache-2.0
// A cgroup (v2) for the commands of one slot: kills all of them at once, tells whether any is left
// and whether memory ran out. Below the caller's own cgroup, so it needs no more than delegation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "executors/sandboxes/file_descriptor.h"

namespace executors::sandboxes {

/// The folder of the caller's own v2 cgroup, found through mountinfo (also in a hybrid set-up).
engine::base::StatusOr<std::string> OwnCgroupFolder();

class StepCgroup {
 public:
  /// Makes `<own cgroup>/<name>`, emptying what an earlier one of that name left. Says what was
  /// refused when the machine does not allow all of what is needed.
  static engine::base::StatusOr<StepCgroup> Make(const std::string& name);

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Kills every process in it and below, atomically. Nobody must be started in it before `Renew`:
  /// Linux 6.18 kills at birth whoever is cloned into a cgroup in which was ever killed.
  void Kill();
  /// After `Kill`, once nobody is left: a fresh one takes its place. Nothing to do otherwise.
  engine::base::Status Renew();
  /// Kills by the kernel's memory limit so far; 0 where that is not counted.
  [[nodiscard]] std::uint64_t OomKills() const;
  void Remove();

 private:
  StepCgroup(std::string folder, FileDescriptor fd)
      : folder_(std::move(folder)), fd_(std::move(fd)) {}
  std::string folder_;
  FileDescriptor fd_;
  bool killed_ = false;
};

/// Kills what is in the cgroup and those below; harmless when it is not there.
void KillCgroup(const std::string& folder);
/// Process ids in the cgroup and those below.
std::vector<int> CgroupProcesses(const std::string& folder);
/// Removes an empty cgroup and those below. True when it is gone.
bool RemoveCgroup(const std::string& folder);

}  // namespace executors::sandboxes
