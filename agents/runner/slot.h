// SPDX-License-Identifier: Apache-2.0
// Room for one attempt: leads it through workspace, downloads, steps, uploads and `finally`, with
// one sandbox. Everything on the runner's thread; what blocks goes to the pool and comes back.
//
// Background steps run beside the others while it is stepping or hashing; before it closes, they
// have ended.
//
//   idle ─Begin─▶ preparing ─▶ downloading ─▶ stepping ⇄ hashing ─▶ closing ─▶ stepping (finally)
//     ▲                                                                              │
//     └──────────────────────────── clearing ◀───────────────────────────────────────┘
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "agents/runner/attempt.h"
#include "agents/runner/attempt_record.h"
#include "agents/runner/background.h"
#include "agents/runner/compiled_spec.h"
#include "agents/runner/environment.h"
#include "agents/runner/job_caches.h"
#include "agents/runner/ready_watch.h"
#include "agents/runner/replay.h"
#include "agents/runner/runner.h"
#include "agents/runner/scratch.h"
#include "agents/runner/secret_values.h"
#include "agents/runner/steady_time.h"
#include "agents/runner/step_files.h"
#include "agents/runner/tree_shelf.h"

namespace agents::runner {

/// What all slots of a runner share. Outlives them.
struct Workshop {
  boost::asio::io_context* io = nullptr;
  boost::asio::thread_pool* pool = nullptr;
  const RunnerOptions* options = nullptr;
  SpecCache specs;
  std::map<engine::model::RunId, std::unique_ptr<SecretValues>> secrets;
  std::unique_ptr<TreeShelf> trees;
  LaneShelf lanes;
  /// How long sandboxes go on without this process; 0: they die with it.
  engine::base::Duration offline{0};
  /// Sends reports of the attempt, in order; the last with `ended`.
  std::function<void(const engine::model::Lease&, std::vector<engine::model::Report>, bool ended)>
      send;
  /// The slot is free again.
  std::function<void(std::uint32_t slot)> freed;
  /// A slot's `NextDeadline` may have become earlier.
  std::function<void(SteadyTime)> wake_at;
};

class Slot : public std::enable_shared_from_this<Slot> {
 public:
  Slot(Workshop& shop, std::uint32_t number, std::unique_ptr<engine::ports::Sandbox> sandbox);
  ~Slot();

  /// With `adopt` the folder is that of an earlier process, whose step may still run in it.
  engine::base::Status Open(const std::string& folder, bool adopt);

  bool is_free() const { return phase_ == Phase::kIdle; }
  /// The attempt it has; only while it is not free.
  const engine::model::Lease& lease() const { return lease_; }
  void Begin(engine::model::Assignment assignment);
  /// Goes on with an attempt of an earlier process, whose sandbox this slot has. `starts`: how many
  /// commands that sandbox was told to start.
  void Resume(engine::model::Assignment assignment, const std::vector<AttemptRecord>& records,
              std::uint64_t starts);
  /// Before anything is started or resumed in any slot: lanes that this one has in use.
  void ReserveLanes(const std::vector<AttemptRecord>& records);
  /// Kills what the sandbox still runs for an attempt that nobody knows.
  void Scrub();
  void Stop(const engine::model::StopAttempt& stop);

  SteadyTime NextDeadline() const;
  void OnDeadline(SteadyTime now);
  /// The attempt belongs to a newer session now: reports go there.
  void Adopt(const engine::model::Lease& lease) { lease_ = lease; }

 private:
  enum class Phase { kIdle, kPreparing, kDownloading, kStepping, kHashing, kClosing, kClearing };

  void Take(engine::model::Assignment assignment, SteadyTime started);
  void GoOn(const std::vector<AttemptRecord>& records, std::uint64_t starts);
  void GoOnWith(StartCommand running, SteadyTime since, bool was_started);
  engine::base::Status GoOnBeside(const RunningBackground& running);
  void HoldTree();
  std::optional<engine::ports::TreeRequest> TreeOf(
      const engine::model::Assignment& assignment) const;
  void SetBudget(SteadyTime ends_at);
  /// For the agent after this one.
  void Keep(const AttemptRecord& record);
  bool keeps() const { return shop_.offline.count() > 0; }

  // Each is one arrow of the picture above.
  void PrepareWorkspace(bool may_replace);
  void WorkspaceReady(const engine::base::Status& status, bool may_replace);
  void TakeTree(const engine::ports::TreeRequest& request,
                std::function<void(engine::base::StatusOr<std::string>)> done);
  void Mount(const std::string& lower, bool may_replace);
  void Download();
  void BeginSteps();
  void Finish();
  void LookForEarlier(ReuseRequest request);
  void PlanCaches();
  void Restore(std::vector<CacheRequest> requests);
  void CachesReady(std::vector<CacheRestored> caches);
  void Advance();
  void Perform(NextAction action);
  void StartStep(StartCommand start, bool is_kept = false);
  /// `segments`: those in which its log lies, the slot's or the lane's.
  void TellStarted(std::uint32_t segments, engine::model::StepIndex step);
  engine::model::LogKey LogOf(engine::model::StepIndex step) const {
    return {.attempt = lease_.key, .step = step};
  }
  void CommandEnded(const engine::ports::CommandExit& exit, bool direct);
  void StartBackground(StartCommand start);
  void RunBeside(StartCommand start, std::optional<engine::ports::Lane> lane);
  engine::base::Status Begin(BackgroundStep& step, StartCommand& start);
  engine::ports::Sandbox::ExitHandler BackgroundHandler(engine::model::StepIndex index);
  void BackgroundEnded(engine::model::StepIndex index, const engine::ports::CommandExit& exit);
  void EndBackground();
  void CloseSteps();
  void StopBackground(Cut cut, engine::base::Duration grace);
  void StopBackground(BackgroundStep& step, Cut cut, engine::base::Duration grace);
  void OnBackgroundDeadline(SteadyTime now);
  void ReturnLanes();
  void Await(std::vector<ServiceToAwait> services);
  ReadyTools ToolsFor(const ServiceToAwait& service);
  void AskByCommand(const engine::ports::Command& command,
                    std::function<void(const engine::ports::CommandExit&)> done);
  void ServicesAnswered(const std::optional<ReadyWatch::Late>& late);
  void EndWatch();
  /// Null: there is none.
  std::shared_ptr<engine::ports::ArtifactArchive> Archive();
  void Hash(const std::vector<std::string>& patterns);
  void Close(Closing closing);
  /// What moves caches now; they are watched until `EndCaches`.
  CacheTools BeginCaches();
  std::string ReuseFolder() const { return scratch_.folder() + "/result"; }
  void EndCaches();
  void WatchCaches();
  void End();
  void Clear();
  void Sweep();

  void Flush(bool ended);
  void HoldReports();
  /// Ends the command that runs, if one does.
  void EndCommand(Cut cut, engine::base::Duration grace);
  void KeepSummary(engine::model::StepIndex step, std::string text);
  void ReplaceSandbox();
  void ReplaceAndPrepare();
  void Fail(engine::model::ReasonCode code, const engine::base::Status& status, bool infra);
  void Wake(SteadyTime& deadline, SteadyTime at);

  /// Runs `work` on the pool, then `done` with its result here, unless the attempt is another one.
  template <typename Work, typename Done>
  void OnPool(Work work, Done done);
  /// A handler that does nothing once the slot is gone or has another attempt.
  template <typename Handler>
  auto Guarded(Handler handler);

  Workshop& shop_;
  const std::uint32_t number_;
  std::unique_ptr<engine::ports::Sandbox> sandbox_;
  Scratch scratch_;
  StepFiles files_;
  Environment environment_;  ///< PATH, HOME, … of every attempt here

  Phase phase_ = Phase::kIdle;
  std::uint64_t generation_ = 0;  ///< counts attempts
  std::unique_ptr<Attempt> attempt_;
  engine::model::Lease lease_;
  SlotPlace place_;
  std::string tree_folder_;           ///< borrowed from the shelf; empty: none
  std::string workspace_view_;        ///< where this process finds the workspace
  engine::model::StepIndex step_{0};  ///< that was started last
  SteadyTime started_{};
  Cut cut_ = Cut::kNone;
  engine::base::Duration grace_{0};
  bool command_runs_ = false;
  BackgroundSteps background_;
  std::set<engine::ports::Lane> lanes_;  ///< taken for this attempt
  std::unique_ptr<ReadyWatch> watch_;    ///< while services are waited for
  bool asks_by_command_ = false;         ///< one is asked by a command, which runs
  bool steps_over_ = false;              ///< only background steps are waited for
  bool left_over_ = false;               ///< processes may be left of the attempt
  bool sandbox_broken_ = false;          ///< it died and must be replaced
  std::stop_source pool_stop_;
  std::shared_ptr<engine::ports::ArtifactArchive> archive_;  ///< of this attempt, once it wants one

  SteadyTime flush_at_ = kNever;
  SteadyTime step_deadline_ = kNever;
  SteadyTime kill_at_ = kNever;
  SteadyTime budget_deadline_ = kNever;
  SteadyTime backstop_at_ = kNever;
  SteadyTime stall_at_ = kNever;        ///< when caches must have moved on
  std::shared_ptr<CacheWatch> caches_;  ///< null: none move
  std::uint64_t moved_before_ = 0;      ///< what they had moved when that was set
};

}  // namespace agents::runner
