// SPDX-License-Identifier: Apache-2.0
// Turns attempts into workspaces, steps and results, without gRPC: the local worker of `dayfly run`
// and, behind a stream, the agent. What a step sees and may do stands in docs/steps.md.
//
// Everything happens on the thread of the `io_context`; only artifacts, trees and file hashes are
// worked on by a small pool of threads of its own. Attempts are taken in the order of their
// dispatch; each free slot takes the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "agents/core/ledger.h"
#include "agents/journal/journal.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/effect.h"
#include "engine/model/log_range.h"
#include "engine/model/log_state.h"
#include "engine/ports/agent_link.h"
#include "engine/ports/artifact_archive.h"
#include "engine/ports/cache_index.h"
#include "engine/ports/git_source.h"
#include "engine/ports/sandbox.h"
#include "engine/ports/secret_source.h"

namespace agents::runner {

/// What a slot's sandbox kept for this process, having outlived the one before.
struct SlotSurvivor {
  std::vector<std::string> kept;
  std::uint64_t starts = 0;
};

/// Of an agent, whose attempts outlive its own death.
struct Endurance {
  journal::Journal* journal = nullptr;              ///< outlives the runner
  journal::Recovered recovered;                     ///< its session facts are not looked at
  std::map<std::uint32_t, SlotSurvivor> survivors;  ///< by slot; the sandbox stands in `slots`
  /// How long sandboxes go on without an agent; `Runner::SetOffline` changes it.
  engine::base::Duration offline = std::chrono::minutes(15);
};

struct RunnerOptions {
  /// Where reports go, in order; called on the runner's thread. For an agent: what was reported is
  /// journalled when the call returns.
  engine::ports::InputSink report;
  /// One a slot, at least one.
  std::vector<std::unique_ptr<engine::ports::Sandbox>> slots;
  /// A new sandbox for a slot whose own died; the old one is destroyed before. Empty: the slot
  /// answers every attempt with an infrastructure failure.
  std::function<engine::base::StatusOr<std::unique_ptr<engine::ports::Sandbox>>(std::uint32_t slot)>
      replace_sandbox;

  // All outlive the runner; null where a run needs none.
  engine::ports::ArtifactArchive* archive = nullptr;
  /// In place of `archive`: one for each attempt, whose calls end when `stop` asks. May be empty.
  std::function<std::shared_ptr<engine::ports::ArtifactArchive>(const engine::model::AttemptKey&,
                                                                std::stop_token stop)>
      archive_of;
  /// The caches that an attempt may use, whose calls end when `stop` asks; null, or empty: none.
  std::function<std::shared_ptr<engine::ports::CacheIndex>(const engine::model::Assignment&,
                                                           std::stop_token stop)>
      caches_of;
  /// Caches that move fewer bytes than these in such a time are given up.
  std::uint64_t cache_stall_bytes = 1 << 20;
  engine::base::Duration cache_stall_time = std::chrono::seconds(60);
  engine::ports::GitSource* git = nullptr;
  /// Must answer at once (from memory): asked on the runner's thread.
  engine::ports::SecretSource* secrets = nullptr;

  /// Absolute. Below it each slot keeps its scripts, step files and TMPDIR; removed when the runner
  /// ends. Commands must be able to write there.
  std::string folder;
  /// Where sandboxes write the segments of logs; empty: services cannot be known by their logs.
  std::string logs_folder;
  /// Steps' Markdown summaries are put here as `<job number>.<attempt>.<step number>.md`; empty:
  /// they are not kept.
  std::string summary_folder;
  bool summaries_by_run = false;  ///< each run's in a folder of its own below that
  /// For runs that name none: where jobs see their workspace.
  std::string workspace;
  /// A run without a tree starts from its commit's.
  bool source_by_commit = false;
  /// For whoever brings logs away; may be empty. A step's command runs and its log grows in the
  /// segments of the slot, or, in the background, of a lane, which has a number of the same kind.
  /// Also of one that an earlier process had started.
  std::function<void(std::uint32_t slot, const engine::model::LogKey&)> on_step_started;
  /// It has ended, and its log is durable; null: nobody will ever say how it ended. Before anybody
  /// else is told, so that a process which dies in between says it again.
  std::function<void(std::uint32_t slot, const engine::model::LogKey&,
                     const engine::model::StepLog*)>
      on_step_ended;
  /// The last attempt there was has ended: nothing is queued, all slots are free. May be empty.
  std::function<void()> on_idle;
  std::optional<Endurance> endurance;  ///< nothing: everything ends with this process
  std::string home;  ///< HOME of steps; empty: a folder of the slot, empty at first
  std::string user = "dayfly";
  std::string path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  /// Reports other than the end wait so long for company, so that a short attempt is one commit.
  engine::base::Duration hold = std::chrono::milliseconds(20);
  /// How long after its own timeout an attempt is told to end here, should nobody have asked.
  engine::base::Duration backstop = std::chrono::seconds(10);
  std::uint32_t io_threads = 2;
};

/// An `AgentLink` with N slots in this process.
class Runner : public engine::ports::AgentLink {
 public:
  Runner(boost::asio::io_context& io, RunnerOptions options);
  /// Ends what runs, without reports: sandboxes are destroyed, and with them all their processes.
  ~Runner() override;
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Makes the folders, and takes up what `Endurance` tells of: goes on with attempts whose sandbox
  /// is alive, begins those that had not begun, reports the others lost. Call once, before the
  /// first dispatch.
  engine::base::Status Open();

  void Dispatch(const engine::model::Assignment& assignment) override;
  void Stop(const engine::model::StopAttempt& stop) override;

  /// The attempt's end is durable (or was refused): its result need not be kept any longer.
  /// Without it the newest few thousand results are kept, in case a dispatch is repeated.
  void Acknowledge(const engine::model::AttemptKey& key);
  /// Nothing of this run will be asked any more.
  void ForgetRun(engine::model::RunId run);
  /// For attempts that begin from now on.
  void SetOffline(engine::base::Duration offline);
  /// What is known of the attempt; `kNew`: nothing.
  core::AttemptState StateOf(const engine::model::AttemptKey& key) const;
  /// Of which attempts are remembered, ascending.
  std::vector<engine::model::RunId> Runs() const;
  /// As if nothing had ever been dispatched; once nothing is queued or running any more.
  void ForgetEverything();
  /// Stops everything there is, queued or running, as if each had been told to.
  void EndAll(const engine::model::Reason& reason, bool kill);

  /// Attempts that no slot has taken up.
  std::size_t queued() const;
  std::size_t busy_slots() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace agents::runner
