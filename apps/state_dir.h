// SPDX-License-Identifier: Apache-2.0
// Where this user's runs live on this machine, and what lies where below it:
//   version     the layout's number
//   index.db    one row a run            chunks/  artifacts
//   caches/     index of caches (their content lies in chunks/)
//   objects/    recorded source (git)    trees/   unfolded source
//   runs/<id>/  facts.db  logs/  lock  control.sock  ws/  tmp/
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/ids.h"

namespace apps {

inline constexpr int kStateDirVersion = 1;

class StateDir {
 public:
  /// `$DAYFLY_HOME`, else `$XDG_STATE_HOME/dayfly`, else `~/.local/state/dayfly`. Makes it when it
  /// is missing. `FailedPrecondition` when a newer build laid it out.
  static engine::base::StatusOr<StateDir> Open();
  /// The same without making anything; a folder that is missing has no runs.
  static engine::base::StatusOr<StateDir> OpenForReading();
  static engine::base::StatusOr<StateDir> OpenAt(std::string root, bool create);

  const std::string& root() const { return root_; }
  std::string index() const { return root_ + "/index.db"; }
  std::string objects() const { return root_ + "/objects"; }
  std::string chunks() const { return root_ + "/chunks"; }
  std::string caches() const { return root_ + "/caches"; }
  std::string trees() const { return root_ + "/trees"; }
  std::string included_repositories() const { return root_ + "/included"; }
  std::string run_folder(engine::model::RunId run) const;

  /// Makes the run's folder, which must not exist, and what every run has in it.
  engine::base::StatusOr<std::string> MakeRunFolder(engine::model::RunId run) const;

  /// All runs that have a folder, oldest first.
  engine::base::StatusOr<std::vector<engine::model::RunId>> Runs() const;

  /// The run that `name` means: an id, or a prefix of exactly one. Capitals and look-alikes
  /// (`O` `I` `L`) are read as meant. `NotFound` and `InvalidArgument` (several) list candidates.
  engine::base::StatusOr<engine::model::RunId> FindRun(std::string_view name) const;

 private:
  explicit StateDir(std::string root) : root_(std::move(root)) {}
  std::string root_;
};

/// Milliseconds since the epoch and 20 random bits.
engine::model::RunId DrawRunId();
/// From the kernel; for seeds and ids, not for secrets.
std::uint64_t DrawRandom();

/// `Open`'s rule without touching the disk. `InvalidArgument` when there is neither a variable nor
/// a home.
engine::base::StatusOr<std::string> StateDirPath();

/// `mkdir -p`, 0700 for what is made. An existing folder is fine.
engine::base::Status MakeFolders(const std::string& path);

}  // namespace apps
