// SPDX-License-Identifier: Apache-2.0
// What the facts so far say about one run, arranged for display: jobs, their attempts and steps,
// counts per status. Reads no clock and prints nothing. The same board serves the live views and,
// fed from a finished run's log, `show` and `logs`.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/deployment.h"
#include "engine/model/fact.h"
#include "engine/model/plan.h"

namespace apps::view {

namespace base = engine::base;
namespace model = engine::model;

struct StepState {
  model::Status status = model::Status::kWaiting;
  model::Reason reason;
  base::Instant started{};
  base::Instant ended{};
  base::Duration took{0};
  model::StepLog log;
  bool ended_with_attempt = false;  ///< its worker never told how it ended (lost, or killed)
};

struct AttemptState {
  model::AttemptNumber number = 0;
  model::WorkerId worker;
  std::uint32_t slot = 0;
  bool begun = false;  ///< a worker took it up; the others are shown nowhere
  bool ended = false;
  bool infra = false;
  model::Status status = model::Status::kReady;
  model::Reason reason;
  base::Instant assigned_at{};
  base::Instant started_at{};
  base::Instant ended_at{};
  base::Duration took{0};
  std::vector<StepState> steps;
};

struct JobState {
  model::Status status = model::Status::kWaiting;
  model::Reason reason;  ///< why it waits, as far as that was recorded; why it ended
  base::Instant ready_at{};
  base::Instant ended_at{};
  std::uint32_t attempts_begun = 0;
  std::string environment;  ///< what it deploys to; empty: nothing, or not known yet
  std::string environment_url;
  bool asks = false;         ///< somebody must approve
  model::Approval approval;  ///< the newest
  std::vector<AttemptState> attempts;
  std::shared_ptr<const model::JobResult> result;  ///< null until it has ended
};

/// Jobs in the order of the plan under the stage they belong to; one group without a name when the
/// plan has no stages.
struct StageGroup {
  std::string name;
  std::vector<model::JobIndex> jobs;
  std::array<std::uint32_t, model::kStatusCount> counts{};
};

class Board {
 public:
  Board(model::RunId run, model::PlanRef plan);

  /// Facts of other runs and about workers change nothing.
  void Apply(const model::Fact& fact);

  model::RunId run() const { return run_; }
  /// As far as it has grown.
  const model::Plan& plan() const { return *plan_; }
  const model::PlanRef& plan_ref() const { return plan_; }
  const JobState& job(model::JobIndex job) const { return jobs_[base::AsIndex(job)]; }
  std::uint32_t job_count() const { return static_cast<std::uint32_t>(jobs_.size()); }
  const std::string& job_name(model::JobIndex job) const { return names_[base::AsIndex(job)]; }
  const std::vector<StageGroup>& stages() const { return stages_; }
  std::uint32_t stage_of(model::JobIndex job) const { return stage_of_[base::AsIndex(job)]; }
  /// What its jobs brought to environments, by job.
  std::vector<model::Deployment> deployments() const { return deployments_.List(); }
  /// Jobs per status.
  const std::array<std::uint32_t, model::kStatusCount>& counts() const { return counts_; }
  const std::set<model::JobIndex>& running() const { return running_; }
  /// Failed, timed out or warned, in the order of the plan.
  const std::set<model::JobIndex>& troubled() const { return troubled_; }

  /// What steps printed and no log has, because it could not be written.
  std::uint64_t lost_log_bytes() const { return lost_log_bytes_; }

  model::Status status() const { return status_; }
  const model::Reason& reason() const { return reason_; }
  bool cancelling() const { return cancel_requested_ && !IsFinal(status_); }
  base::Instant accepted_at() const { return accepted_at_; }
  base::Instant ended_at() const { return ended_at_; }
  const std::shared_ptr<const model::RunContext>& context() const { return context_; }
  /// The attempt of that number, null when none was recorded.
  const AttemptState* attempt(const model::AttemptKey& key) const;

 private:
  void On(const model::RunAccepted& fact, base::Instant at);
  void On(const model::RunCancelRequested& fact, base::Instant at);
  void On(const model::RunEnded& fact, base::Instant at);
  void On(const model::RunClosed&, base::Instant) {}
  void On(const model::JobReadied& fact, base::Instant at);
  void On(const model::JobWaitNoted& fact, base::Instant at);
  void On(const model::JobBackedOff& fact, base::Instant at);
  void On(const model::JobEnded& fact, base::Instant at);
  void On(const model::AttemptAssigned& fact, base::Instant at);
  void On(const model::AttemptStarted& fact, base::Instant at);
  void On(const model::StepStarted& fact, base::Instant at);
  void On(const model::StepEnded& fact, base::Instant at);
  void On(const model::AttemptStopRequested&, base::Instant) {}
  void On(const model::AttemptEnded& fact, base::Instant at);
  void On(const model::WorkerJoined&, base::Instant) {}
  void On(const model::WorkerMarkedSuspect&, base::Instant) {}
  void On(const model::WorkerRecovered&, base::Instant) {}
  void On(const model::WorkerLost&, base::Instant) {}
  void On(const model::WorkerMarkedDraining&, base::Instant) {}
  void On(const model::RunQueued& fact, base::Instant at);
  void On(const model::RunAdmitted& fact, base::Instant at);
  void On(const model::JobDelayed& fact, base::Instant at);
  void On(const model::ApprovalRequested& fact, base::Instant at);
  void On(const model::ApprovalDecided& fact, base::Instant at);
  void On(const model::JobQueued& fact, base::Instant at);
  void On(const model::AttemptUnheard& fact, base::Instant at);
  void On(const model::JobsExpanded& fact, base::Instant at);

  JobState& Job(model::JobIndex job) { return jobs_[base::AsIndex(job)]; }
  AttemptState& Attempt(const model::AttemptKey& key);
  StepState& Step(const model::AttemptKey& key, model::StepIndex step);
  void SetStatus(model::JobIndex job, model::Status status);

  model::RunId run_;
  model::PlanRef plan_;
  std::vector<std::string> names_;
  std::vector<JobState> jobs_;
  std::vector<StageGroup> stages_;
  std::vector<std::uint32_t> stage_of_;  ///< per job, position in `stages_`
  std::array<std::uint32_t, model::kStatusCount> counts_{};
  std::set<model::JobIndex> running_;
  std::set<model::JobIndex> troubled_;
  model::RunDeployments deployments_;
  std::uint64_t lost_log_bytes_ = 0;
  model::Status status_ = model::Status::kWaiting;
  model::Reason reason_;
  bool cancel_requested_ = false;
  base::Instant accepted_at_{};
  base::Instant ended_at_{};
  std::shared_ptr<const model::RunContext> context_;
};

/// The reasons why the job is as it is; where one is that services are waited for, since when.
std::vector<model::Reason> WithTimes(const Board& board, model::JobIndex job,
                                     std::vector<model::Reason> reasons);

/// The steps that make an attempt's outcome: those that failed or timed out, else none.
std::vector<model::StepIndex> TroubledSteps(const AttemptState& attempt);

}  // namespace apps::view
