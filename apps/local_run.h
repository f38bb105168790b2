// SPDX-License-Identifier: Apache-2.0
// Everything that one run on this machine is made of, put together: store, loop, runner with its
// keepers, view, control socket, signals. One object is one process' share of one run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/state_dir.h"
#include "engine/base/status.h"
#include "engine/model/input.h"
#include "engine/model/place.h"
#include "engine/ports/git_source.h"

namespace apps {

struct LocalRunOptions {
  std::uint32_t workers = 0;  ///< 0: as many as there are CPUs
  std::string output;         ///< `tree plain json`; empty: by what standard output is
  std::vector<std::string> secrets;
  std::string secrets_file;  ///< `.dayfly/secrets`
  bool stats = false;
  bool no_approve = false;  ///< jobs that ask are answered no
};

class LocalRun {
 public:
  /// A new run: draws its id, makes its folder, takes its lock and starts the keepers, which come
  /// up while the caller compiles.
  static engine::base::StatusOr<std::unique_ptr<LocalRun>> Create(const StateDir& state,
                                                                  LocalRunOptions options);
  /// A run that was left unfinished: takes its lock (`AlreadyExists` names the process that has it)
  /// and clears away what its dead process left behind.
  static engine::base::StatusOr<std::unique_ptr<LocalRun>> Reopen(const StateDir& state,
                                                                  engine::model::RunId run,
                                                                  LocalRunOptions options);
  /// A new run that was never submitted leaves no folder.
  ~LocalRun();
  LocalRun(const LocalRun&) = delete;
  LocalRun& operator=(const LocalRun&) = delete;

  engine::model::RunId run() const;
  /// The one path at which every job sees its workspace.
  std::string workspace() const;
  /// What this machine has for its jobs.
  engine::model::WorkerOffer offer() const;
  /// Opened at the first call. Any thread.
  engine::base::StatusOr<engine::ports::GitSource*> git();
  /// Durations of earlier runs of the same pipeline, per spec.
  std::vector<engine::base::Duration> KnownDurations(const engine::model::Plan& plan,
                                                     const engine::model::RunContext& context);

  /// From its acceptance to its end; returns the exit code.
  int Execute(engine::model::SubmitRun submission);
  /// The rest of a reopened run.
  int Resume();

 private:
  class Core;
  explicit LocalRun(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

/// The name of the user who asks, for people.
std::string UserName();

}  // namespace apps
