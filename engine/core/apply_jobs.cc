// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "engine/base/check.h"
#include "engine/core/applier.h"
#include "engine/core/job_result.h"
#include "engine/model/expand.h"
#include "engine/placement/ahead.h"
#include "engine/placement/fit.h"

namespace engine::core {

using base::AsIndex;
using graph::NodeIndex;
using model::JobIndex;
using model::SpecIndex;

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
    queue.place->with_ready.emplace(fact.run, ReadyRun{.run = &run, .queue = &queue});
  }
  queue.jobs.Push(placement::MakeReadyKey(priority, rank, fact.job));
}

// The graph's nodes stay: a matrix is one, however many cells it has.
void Applier::On(const model::JobsExpanded& fact) {
  RunState& run = RunOf(fact.run);
  CHECK_MSG(model::CanExpand(run.plan(), fact.expansion), "values that fit no job");
  CHECK_MSG(JobOf(run, fact.expansion.job).phase == JobPhase::kWaiting,
            "values for a job that waits for none");
  auto program = PlanProgram::Make(model::Expand(run.plan(), fact.expansion));
  CHECK_MSG(program.ok(), "a plan that is not well formed any more");
  run.program = *std::move(program);
  const auto added = static_cast<std::uint32_t>(fact.expansion.values.size() - 1);
  run.jobs.resize(run.plan().jobs.size());
  run.open_jobs += added;
  run.node_of(run.spec_of(fact.expansion.job)).open += added;
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
         run.job(cells.At(node.next_cell)).phase != JobPhase::kWaiting) {
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
  ReadyQueue& queue = run.queue_of(run.spec_of(fact.lease.key.job));
  placement::Add(queue.place->need.resources, worker.used);
  UpdateRoom(worker);
  // A job that left the queue some other way is dropped when it comes up.
  if (!queue.jobs.empty() && queue.jobs.top().job == fact.lease.key.job) {
    queue.jobs.Pop();
    if (queue.jobs.empty()) {
      queue.place->with_ready.erase(run.id());
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
  const model::StepSpec* step = model::StepAt(model::SpecOf(run.plan(), fact.key.job), fact.step);
  const bool beside = step != nullptr && step->background;
  job.next_step = fact.step.value() + (beside ? 1 : 0);
  job.in_step = !beside;
  if (beside) {
    std::vector<std::uint32_t>& background = DetailOf(job).background;
    background.insert(std::ranges::upper_bound(background, fact.step.value()), fact.step.value());
  }
  job.once_begun = job.once_begun || (step != nullptr && step->effects_once);
  EndTimeoutInFinally(run, fact.key.job, fact.step);
}

void Applier::On(const model::StepEnded& fact) {
  RunState& run = RunOf(fact.key.run);
  JobState& job = LiveAttempt(run, fact.key);
  kAttemptMachine.Fire(job.attempt_phase, AttemptTrigger::kStepReported);
  if (job.RunsBeside(fact.step.value())) {
    std::erase(job.detail->background, fact.step.value());
    return;
  }
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
  Detach(run, run.spec_of(fact.key.job), job);
  if (job.detail != nullptr) {
    job.detail->stop.reset();
    job.detail->background.clear();
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

}  // namespace engine::core
