// SPDX-License-Identifier: Apache-2.0
#include "engine/core/apply.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/core/job_result.h"
#include "engine/placement/ahead.h"

namespace engine::core {
namespace {

using base::AsIndex;
using graph::NodeIndex;
using model::JobIndex;
using model::ReasonCode;
using model::SpecIndex;
using model::Status;

JobDetail& DetailOf(JobState& job) {
  if (job.detail == nullptr) {
    job.detail = std::make_unique<JobDetail>();
  }
  return *job.detail;
}

JobGates& GatesOf(JobState& job) {
  std::unique_ptr<JobGates>& gates = DetailOf(job).gates;
  if (gates == nullptr) {
    gates = std::make_unique<JobGates>();
  }
  return *gates;
}

class Applier {
 public:
  Applier(State& state, Consequences* consequences) : state_(state), consequences_(consequences) {}

  void On(const model::RunAccepted& fact, const model::PlanRef& plan);
  void On(const model::RunCancelRequested& fact);
  void On(const model::RunEnded& fact);
  void On(const model::RunClosed& fact);
  void On(const model::JobReadied& fact);
  void On(const model::JobWaitNoted& fact);
  void On(const model::JobBackedOff& fact);
  void On(const model::JobEnded& fact);
  void On(const model::AttemptAssigned& fact);
  void On(const model::AttemptStarted& fact);
  void On(const model::StepStarted& fact);
  void On(const model::StepEnded& fact);
  void On(const model::AttemptStopRequested& fact);
  void On(const model::AttemptEnded& fact);
  void On(const model::WorkerJoined& fact);
  void On(const model::WorkerMarkedSuspect& fact);
  void On(const model::WorkerRecovered& fact);
  void On(const model::WorkerLost& fact);
  void On(const model::WorkerMarkedDraining& fact);
  void On(const model::RunQueued& fact);
  void On(const model::RunAdmitted& fact);
  void On(const model::JobDelayed& fact);
  void On(const model::ApprovalRequested& fact);
  void On(const model::ApprovalDecided& fact);
  void On(const model::JobQueued& fact);
  void On(const model::AttemptUnheard& fact);

 private:
  RunState& RunOf(model::RunId run) {
    RunState* found = state_.FindRun(run);
    CHECK_MSG(found != nullptr, "a fact about a run that is not open");
    return *found;
  }
  WorkerState& WorkerOf(model::WorkerId worker) {
    WorkerState* found = state_.FindWorker(worker);
    CHECK_MSG(found != nullptr, "a fact about a worker that is not present");
    return *found;
  }
  JobState& JobOf(RunState& run, JobIndex job) {
    CHECK_MSG(job.value() < run.jobs.size(), "a fact about a job that is not in the plan");
    return run.job(job);
  }
  JobState& LiveAttempt(RunState& run, const model::AttemptKey& key) {
    JobState& job = JobOf(run, key.job);
    CHECK_MSG(job.attempt == key.attempt, "a fact about an attempt that is not the newest");
    return job;
  }

  void Release(RunState& run, SpecIndex spec) {
    if (consequences_ != nullptr) {
      consequences_->released.push_back({.run = &run, .spec = spec});
    }
  }
  void Activate(RunState& run, JobIndex job);
  void Admit(placement::Ticket ticket);
  void LeaveGroups(placement::Ticket ticket);
  void NoteFreed(placement::Ticket ticket);
  void SetDeadline(RunState& run, JobIndex job, base::Instant at);
  void ClearDeadline(RunState& run, JobIndex job);
  void UpdateRoom(WorkerState& worker);
  void Detach(JobState& job);
  void Remove(WorkerState& worker);
  void EndTimeoutInFinally(RunState& run, JobIndex job, model::StepIndex step);
  void EndNodes(RunState& run, SpecIndex spec);
  void CountEnd(RunState& run, NodeIndex index, const model::JobResult& result);
  void SkipDecidedCells(RunState& run, SpecIndex spec);
  void ReleaseEmpty(RunState& run);

  State& state_;
  Consequences* consequences_;
};

// ---- indexes

void Applier::SetDeadline(RunState& run, JobIndex job, base::Instant at) {
  const std::uint32_t position =
      job == kNoJob ? run.deadline_position : run.job(job).deadline_position;
  const DeadlineEntry entry{.at = at, .run = &run, .job = job};
  if (position == kNotInHeap) {
    state_.deadlines.Push(entry);
  } else {
    state_.deadlines.Change(position, entry);
  }
}

void Applier::ClearDeadline(RunState& run, JobIndex job) {
  const std::uint32_t position =
      job == kNoJob ? run.deadline_position : run.job(job).deadline_position;
  if (position != kNotInHeap) {
    state_.deadlines.Remove(position);
  }
}

void Applier::UpdateRoom(WorkerState& worker) {
  WorkerHeap& with_room = worker.pool->with_room;
  const bool has_room = worker.phase == WorkerPhase::kPresent && !worker.draining.has_value() &&
                        placement::HasRoom(worker.load(), worker.joined.ahead_max);
  const bool listed = worker.heap_position != kNotInHeap;
  if (has_room && listed) {
    with_room.Change(worker.heap_position, &worker);
  } else if (has_room) {
    with_room.Push(&worker);
  } else if (listed) {
    with_room.Remove(worker.heap_position);
  }
}

void Applier::Detach(JobState& job) {
  WorkerState& worker = *job.worker;
  const AttemptRef last = worker.attempts.back();
  worker.attempts[job.worker_position] = last;
  last.run->job(last.job).worker_position = job.worker_position;
  worker.attempts.pop_back();
  job.worker = nullptr;
  if (worker.phase == WorkerPhase::kLost && worker.attempts.empty()) {
    Remove(worker);
  } else {
    UpdateRoom(worker);
  }
}

void Applier::Remove(WorkerState& worker) {
  state_.LeavePool(*worker.pool);
  state_.workers.erase(worker.id());
}

// ---- runs

void Applier::On(const model::RunAccepted& fact, const model::PlanRef& plan) {
  std::shared_ptr<PlanProgram>& program = state_.programs[fact.plan];
  if (program == nullptr) {
    auto made = PlanProgram::Make(plan);
    CHECK_MSG(made.ok(), "an accepted run whose plan is missing or not well formed");
    program = *std::move(made);
  }
  auto owned = std::make_unique<RunState>();
  RunState& run = *owned;
  run.accepted = fact;
  run.program = program;
  run.env = std::make_shared<const std::vector<model::NamedValue>>(fact.env);
  kRunMachine.Fire(run.phase, RunTrigger::kAccepted);
  for (const std::string_view pool : program->pools()) {
    run.ready.push_back({.pool = &state_.UsePool(pool), .jobs = {}});
  }
  run.open_jobs = static_cast<std::uint32_t>(run.plan().jobs.size());
  run.jobs.resize(run.plan().jobs.size());
  run.nodes.resize(run.graph().node_count());
  for (std::uint32_t i = 0; i < run.nodes.size(); ++i) {
    run.nodes[i].open_needs = run.graph().Incoming(NodeIndex(i));
    const NodeIndex node(i);
    run.nodes[i].open = run.graph().IsSpec(node)        ? run.graph().CellsOf(SpecIndex(i)).count
                        : run.graph().IsSelection(node) ? run.graph().SelectedCount(node)
                                                        : 0;
  }
  CHECK_MSG(state_.runs.emplace(fact.run, std::move(owned)).second, "a run accepted twice");
  if (!fact.idempotency_key.empty()) {
    state_.by_key.emplace(fact.idempotency_key, fact.run);
  }
  SetDeadline(run, kNoJob, fact.deadline);
  ReleaseEmpty(run);
}

// What waits for nothing is released by the acceptance itself; stages and matrices without a member
// have ended before they began.
void Applier::ReleaseEmpty(RunState& run) {
  const graph::JobGraph& graph = run.graph();
  std::vector<SpecIndex> empty;
  for (std::uint32_t i = 0; i < graph.spec_count(); ++i) {
    if (graph.Incoming(NodeIndex(i)) == 0) {
      Release(run, SpecIndex(i));
    }
    if (run.nodes[i].open == 0) {
      empty.emplace_back(i);
    }
  }
  for (std::uint32_t i = graph.spec_count(); i < graph.node_count(); ++i) {
    if (graph.IsStage(NodeIndex(i)) && graph.Incoming(NodeIndex(i)) == 0) {
      EndNodes(run, SpecIndex(i));
    }
  }
  for (const SpecIndex spec : empty) {
    EndNodes(run, spec);
  }
}

void Applier::On(const model::RunCancelRequested& fact) {
  RunState& run = RunOf(fact.run);
  kRunMachine.Fire(run.phase, fact.kill ? RunTrigger::kKilled : RunTrigger::kCancelled);
  if (!run.cancelled.has_value()) {
    run.cancelled = fact;
  } else {
    run.killed = fact;
  }
  ClearDeadline(run, kNoJob);
}

void Applier::On(const model::RunEnded& fact) {
  RunState& run = RunOf(fact.run);
  kRunMachine.Fire(run.phase, RunTrigger::kEnded);
  run.ended = fact;
  if (run.queued.has_value()) {
    LeaveGroups(run.queued->ticket);
    run.queued.reset();  // Its ticket may be given to somebody else.
    run.admitted = false;
  }
  ClearDeadline(run, kNoJob);
  for (const ReadyQueue& queue : run.ready) {
    queue.pool->with_ready.erase(fact.run);
  }
}

void Applier::On(const model::RunClosed& fact) {
  RunState& run = RunOf(fact.run);
  kRunMachine.Fire(run.phase, RunTrigger::kClosed);
  if (!run.accepted.idempotency_key.empty()) {
    state_.by_key.erase(run.accepted.idempotency_key);
  }
  for (const ReadyQueue& queue : run.ready) {
    queue.pool->with_ready.erase(fact.run);
    state_.LeavePool(*queue.pool);
  }
  const model::PlanDigest digest = run.accepted.plan;
  state_.runs.erase(fact.run);
  const auto program = state_.programs.find(digest);
  if (program->second.use_count() == 1) {
    state_.programs.erase(program);
  }
}

// ---- jobs

void Applier::On(const model::JobReadied& fact) {
  RunState& run = RunOf(fact.run);
  JobState& job = JobOf(run, fact.job);
  const SpecIndex spec = run.spec_of(fact.job);
  Activate(run, fact.job);
  Admit(job.ticket());
  kJobMachine.Fire(job.phase, JobTrigger::kReadied);
  job.attempt = fact.attempt;
  if (!fact.env.empty() || fact.effect_may_be_done || job.detail != nullptr) {
    DetailOf(job).env = fact.env;
    job.detail->effect_may_be_done = job.detail->effect_may_be_done || fact.effect_may_be_done;
  }
  SetDeadline(run, fact.job, fact.queue_deadline);
  SkipDecidedCells(run, spec);
  const auto rank =
      AsIndex(spec) < run.accepted.ranks.size() ? run.accepted.ranks[AsIndex(spec)] : 0;
  const std::int32_t priority = run.plan().specs[AsIndex(spec)].priority;
  ReadyQueue& queue = run.queue_of(spec);
  if (queue.jobs.empty()) {
    queue.pool->with_ready.emplace(fact.run, &run);
  }
  queue.jobs.Push(placement::MakeReadyKey(priority, rank, fact.job));
}

void Applier::On(const model::JobWaitNoted& fact) {
  RunState& run = RunOf(fact.run);
  DetailOf(JobOf(run, fact.job)).noted.push_back(fact);
}

void Applier::On(const model::JobBackedOff& fact) {
  RunState& run = RunOf(fact.run);
  JobState& job = JobOf(run, fact.job);
  Activate(run, fact.job);
  Admit(job.ticket());
  kJobMachine.Fire(job.phase, JobTrigger::kBackedOff);
  job.attempt = fact.attempt;
  JobDetail& detail = DetailOf(job);
  detail.backed_off = fact;
  detail.effect_may_be_done = detail.effect_may_be_done || fact.effect_may_be_done;
  if (detail.gates != nullptr) {
    detail.gates->asked_again.reset();
    detail.gates->decided_again.reset();
  }
  detail.env.clear();
  SetDeadline(run, fact.job, fact.reason.until);
  SkipDecidedCells(run, run.spec_of(fact.job));
}

void Applier::On(const model::JobEnded& fact) {
  RunState& run = RunOf(fact.run);
  JobState& job = JobOf(run, fact.job);
  const SpecIndex spec = run.spec_of(fact.job);
  NodeState& node = run.node_of(spec);
  const bool was_active = job.phase != JobPhase::kWaiting;
  kJobMachine.Fire(job.phase, JobTrigger::kEnded);
  node.active -= was_active ? 1 : 0;
  LeaveGroups(job.ticket());
  job.result = IsPlainSuccess(*fact.result) ? PlainSuccess() : fact.result;
  job.detail.reset();
  job.attempt = 0;
  job.slot = 0;
  job.next_step = 0;
  job.in_step = false;
  job.once_begun = false;
  ClearDeadline(run, fact.job);
  SkipDecidedCells(run, spec);
  --run.open_jobs;
  ++run.counts[static_cast<std::size_t>(fact.result->status)];
  CountEnd(run, run.graph().NodeOf(spec), *fact.result);
  for (const auto& [member, selection] : run.graph().SelectionsOf(fact.job)) {
    CountEnd(run, selection, *fact.result);
  }
}

void Applier::CountEnd(RunState& run, NodeIndex index, const model::JobResult& result) {
  NodeState& node = run.node(index);
  node.unwell += EndsWell(result) ? 0 : 1;
  node.failed += Failed(result.status) ? 1 : 0;
  node.after_failure += CarriesFailure(result) ? 1 : 0;
  if (--node.open == 0) {
    EndNodes(run, SpecIndex(index.value()));
  }
}

// The cells before `next_cell` need not be looked at again when `max_parallel` frees a place.
void Applier::SkipDecidedCells(RunState& run, SpecIndex spec) {
  const graph::Cells cells = run.graph().CellsOf(spec);
  NodeState& node = run.node_of(spec);
  while (node.next_cell < cells.count &&
         run.jobs[AsIndex(cells.first) + node.next_cell].phase != JobPhase::kWaiting) {
    ++node.next_cell;
  }
}

// `spec` (or a stage or selection, by its node's number) has ended: whoever waits for it has one
// open need less.
void Applier::EndNodes(RunState& run, SpecIndex spec) {
  const graph::JobGraph& graph = run.graph();
  std::vector<NodeIndex> ended(1, NodeIndex(spec.value()));
  while (!ended.empty()) {
    const NodeIndex node = ended.back();
    ended.pop_back();
    const NodeState from = run.node(node);
    const std::uint32_t first_unwell = graph.IsStage(node) ? from.first_unwell : node.value();
    for (const NodeIndex dependent : graph.Dependents(node)) {
      NodeState& to = run.node(dependent);
      if (graph.IsSelection(dependent)) {
        continue;  // It ends with its own cells.
      }
      --to.open_needs;
      if (graph.IsStage(dependent)) {
        to.after_failure += from.after_failure != 0 ? 1 : 0;
        if (from.unwell != 0) {
          ++to.unwell;
          to.first_unwell = std::min(to.first_unwell, first_unwell);
        }
        if (to.open_needs == 0) {
          ended.push_back(dependent);
        }
      } else if (to.open_needs == 0) {
        Release(run, graph.SpecAt(dependent));
      }
    }
  }
}

// ---- attempts

void Applier::On(const model::AttemptAssigned& fact) {
  RunState& run = RunOf(fact.lease.key.run);
  JobState& job = LiveAttempt(run, fact.lease.key);
  WorkerState& worker = WorkerOf(fact.lease.worker);
  CHECK_MSG(worker.joined.session == fact.lease.session, "an assignment to an older session");
  kJobMachine.Fire(job.phase, JobTrigger::kAssigned);
  kAttemptMachine.Fire(job.attempt_phase, AttemptTrigger::kAssigned);
  job.worker = &worker;
  job.worker_position = static_cast<std::uint32_t>(worker.attempts.size());
  worker.attempts.push_back({.run = &run, .job = fact.lease.key.job});
  UpdateRoom(worker);
  // A job that left the queue some other way is dropped when it comes up.
  ReadyQueue& queue = run.queue_of(run.spec_of(fact.lease.key.job));
  if (!queue.jobs.empty() && queue.jobs.top().job == fact.lease.key.job) {
    queue.jobs.Pop();
    if (queue.jobs.empty()) {
      queue.pool->with_ready.erase(run.id());
    }
  }
}

void Applier::On(const model::AttemptStarted& fact) {
  RunState& run = RunOf(fact.key.run);
  JobState& job = LiveAttempt(run, fact.key);
  kJobMachine.Fire(job.phase, JobTrigger::kStarted);
  kAttemptMachine.Fire(job.attempt_phase, AttemptTrigger::kStarted);
  job.slot = fact.slot;
  if (job.attempt_phase == AttemptPhase::kRunning) {
    SetDeadline(run, fact.key.job, fact.deadline);
  }
}

void Applier::On(const model::StepStarted& fact) {
  RunState& run = RunOf(fact.key.run);
  JobState& job = LiveAttempt(run, fact.key);
  kAttemptMachine.Fire(job.attempt_phase, AttemptTrigger::kStepReported);
  job.next_step = fact.step.value();
  job.in_step = true;
  const model::StepSpec* step = model::StepAt(model::SpecOf(run.plan(), fact.key.job), fact.step);
  job.once_begun = job.once_begun || (step != nullptr && step->effects_once);
  EndTimeoutInFinally(run, fact.key.job, fact.step);
}

void Applier::On(const model::StepEnded& fact) {
  RunState& run = RunOf(fact.key.run);
  JobState& job = LiveAttempt(run, fact.key);
  kAttemptMachine.Fire(job.attempt_phase, AttemptTrigger::kStepReported);
  job.next_step = fact.step.value() + 1;
  job.in_step = false;
  EndTimeoutInFinally(run, fact.key.job, fact.step);
}

// The job's timeout is one of its steps alone; the worker holds `finally` to its own budget. An
// order to stop keeps its deadline.
void Applier::EndTimeoutInFinally(RunState& run, JobIndex job, model::StepIndex step) {
  const bool in_finally = step.value() >= model::SpecOf(run.plan(), job).steps.size();
  if (in_finally && run.job(job).attempt_phase == AttemptPhase::kRunning) {
    ClearDeadline(run, job);
  }
}

void Applier::On(const model::AttemptStopRequested& fact) {
  RunState& run = RunOf(fact.key.run);
  JobState& job = LiveAttempt(run, fact.key);
  kAttemptMachine.Fire(job.attempt_phase,
                       fact.kill ? AttemptTrigger::kKillRequested : AttemptTrigger::kStopRequested);
  DetailOf(job).stop = fact;
  SetDeadline(run, fact.key.job, fact.deadline);
}

void Applier::On(const model::AttemptEnded& fact) {
  RunState& run = RunOf(fact.key.run);
  JobState& job = LiveAttempt(run, fact.key);
  kJobMachine.Fire(job.phase, JobTrigger::kAttemptEnded);
  kAttemptMachine.Fire(job.attempt_phase, AttemptTrigger::kEnded);
  if (fact.took.count() > 0) {
    std::vector<base::Duration>& recent = job.worker->recent;
    if (recent.size() == placement::kRecentMax) {
      recent.erase(recent.begin());
    }
    recent.push_back(fact.took);
  }
  Detach(job);
  if (job.detail != nullptr) {
    job.detail->stop.reset();
  }
  job.slot = 0;
  job.next_step = 0;
  job.in_step = false;
  job.once_begun = false;
  ClearDeadline(run, fact.key.job);
}

void Applier::On(const model::AttemptUnheard& fact) {
  RunState& run = RunOf(fact.key.run);
  JobState& job = LiveAttempt(run, fact.key);
  kAttemptMachine.Fire(job.attempt_phase, AttemptTrigger::kUnheard);
  SetDeadline(run, fact.key.job, fact.deadline);
}

// ---- coordination

// It no longer merely waits: it counts against `max_parallel` from here to its end.
void Applier::Activate(RunState& run, JobIndex job) {
  if (run.job(job).phase == JobPhase::kWaiting) {
    ++run.node_of(run.spec_of(job)).active;
  }
}

// Whatever it does next, it is past the queue. Nothing without a ticket, or when it holds already.
void Applier::Admit(placement::Ticket ticket) {
  if (ticket != 0 && !state_.groups.At(ticket).holds) {
    state_.groups.Admit(ticket);
    NoteFreed(ticket);
  }
}

void Applier::LeaveGroups(placement::Ticket ticket) {
  if (ticket != 0) {
    NoteFreed(ticket);
    state_.groups.Remove(ticket);
  }
}

void Applier::NoteFreed(placement::Ticket ticket) {
  if (consequences_ == nullptr) {
    return;
  }
  for (const model::GroupClaim& claim : state_.groups.At(ticket).claims) {
    consequences_->freed.insert(claim.group);
  }
}

void Applier::On(const model::RunQueued& fact) {
  RunState& run = RunOf(fact.run);
  kRunMachine.Fire(run.phase, RunTrigger::kQueued);
  run.queued = fact;
  state_.groups.Add(fact.ticket, {.run = fact.run, .job = std::nullopt, .claims = fact.claims});
  NoteFreed(fact.ticket);
}

// What was released while the run waited was not looked at; it is released again.
void Applier::On(const model::RunAdmitted& fact) {
  RunState& run = RunOf(fact.run);
  kRunMachine.Fire(run.phase, RunTrigger::kAdmitted);
  run.admitted = true;
  Admit(run.queued->ticket);
  for (std::uint32_t i = 0; i < run.graph().spec_count(); ++i) {
    if (run.nodes[i].open_needs == 0 && run.nodes[i].open != 0) {
      Release(run, SpecIndex(i));
    }
  }
}

void Applier::On(const model::JobDelayed& fact) {
  RunState& run = RunOf(fact.run);
  JobState& job = JobOf(run, fact.job);
  Activate(run, fact.job);
  kJobMachine.Fire(job.phase, JobTrigger::kDelayed);
  SetDeadline(run, fact.job, fact.until);
  SkipDecidedCells(run, run.spec_of(fact.job));
}

void Applier::On(const model::ApprovalRequested& fact) {
  RunState& run = RunOf(fact.run);
  JobState& job = JobOf(run, fact.job);
  Activate(run, fact.job);
  Admit(job.ticket());
  kJobMachine.Fire(job.phase, JobTrigger::kAsked);
  JobGates& gates = GatesOf(job);
  if (fact.reason.code == ReasonCode::kEffectMayBeDone) {
    gates.asked_again = fact;
    gates.decided_again.reset();
    job.detail->effect_may_be_done = true;
    job.attempt = fact.attempt - 1;
  } else {
    gates.asked = fact;
  }
  SetDeadline(run, fact.job, fact.deadline);
  SkipDecidedCells(run, run.spec_of(fact.job));
}

void Applier::On(const model::ApprovalDecided& fact) {
  RunState& run = RunOf(fact.run);
  JobState& job = JobOf(run, fact.job);
  kJobMachine.Fire(job.phase, JobTrigger::kApproved);
  JobGates& gates = GatesOf(job);
  (gates.asked_again.has_value() ? gates.decided_again : gates.decided) = fact;
  ClearDeadline(run, fact.job);
}

void Applier::On(const model::JobQueued& fact) {
  RunState& run = RunOf(fact.run);
  JobState& job = JobOf(run, fact.job);
  Activate(run, fact.job);
  kJobMachine.Fire(job.phase, JobTrigger::kQueued);
  GatesOf(job).queued = fact;
  state_.groups.Add(fact.ticket, {.run = fact.run, .job = fact.job, .claims = fact.claims});
  NoteFreed(fact.ticket);
  SetDeadline(run, fact.job, fact.deadline);
  SkipDecidedCells(run, run.spec_of(fact.job));
}

// ---- workers

void Applier::On(const model::WorkerJoined& fact) {
  std::unique_ptr<WorkerState>& worker = state_.workers[fact.worker];
  CHECK_MSG(worker == nullptr, "a worker joined that is still present");
  worker = std::make_unique<WorkerState>();
  kWorkerMachine.Fire(worker->phase, WorkerTrigger::kJoined);
  worker->joined = fact;
  worker->recent = std::move(worker->joined.recent);
  worker->joined.recent.clear();
  worker->pool = &state_.UsePool(fact.pool);
  ++worker->pool->workers;
  UpdateRoom(*worker);
}

void Applier::On(const model::WorkerMarkedSuspect& fact) {
  WorkerState& worker = WorkerOf(fact.worker);
  kWorkerMachine.Fire(worker.phase, WorkerTrigger::kSuspected);
  worker.lease_ends = fact.lease_ends;
  UpdateRoom(worker);
}

void Applier::On(const model::WorkerRecovered& fact) {
  WorkerState& worker = WorkerOf(fact.worker);
  kWorkerMachine.Fire(worker.phase, WorkerTrigger::kRecovered);
  worker.lease_ends = base::Instant();
  UpdateRoom(worker);
}

void Applier::On(const model::WorkerLost& fact) {
  WorkerState& worker = WorkerOf(fact.worker);
  kWorkerMachine.Fire(worker.phase, WorkerTrigger::kLost);
  worker.lease_ends = base::Instant();
  UpdateRoom(worker);
  --worker.pool->workers;
  worker.pool->draining -= worker.draining.has_value() ? 1 : 0;
  worker.draining.reset();
  if (worker.attempts.empty()) {
    Remove(worker);
  }
}

void Applier::On(const model::WorkerMarkedDraining& fact) {
  WorkerState& worker = WorkerOf(fact.worker);
  worker.pool->draining += worker.draining.has_value() ? 0 : 1;
  worker.draining = fact;
  UpdateRoom(worker);
}

}  // namespace

void ApplyFact(State& state, const model::Fact& fact, const model::PlanRef& plan,
               Consequences* consequences) {
  state.last_at = std::max(state.last_at, fact.at);
  Applier applier(state, consequences);
  std::visit(
      [&](const auto& body) {
        if constexpr (std::is_same_v<std::decay_t<decltype(body)>, model::RunAccepted>) {
          applier.On(body, plan);
        } else {
          applier.On(body);
        }
      },
      fact.body);
}

}  // namespace engine::core
