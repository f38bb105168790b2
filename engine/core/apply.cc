// SPDX-License-Identifier: Apache-2.0
#include "engine/core/apply.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/core/applier.h"
#include "engine/placement/fit.h"

namespace engine::core {

using graph::NodeIndex;
using model::JobIndex;
using model::SpecIndex;

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
  for (const std::unique_ptr<PlaceState>& place : worker.pool->places) {
    if (place != nullptr) {
      State::UpdateRoom(worker, *place);
    }
  }
}

void Applier::CountFitting(const WorkerState& worker, std::int32_t more) {
  for (const std::unique_ptr<PlaceState>& place : worker.pool->places) {
    if (place != nullptr && worker.seats[place->number].fits) {
      place->fitting += static_cast<std::uint32_t>(more);
    }
  }
}

void Applier::Detach(const RunState& run, model::SpecIndex spec, JobState& job) {
  WorkerState& worker = *job.worker;
  placement::Subtract(run.queue_of(spec).place->need.resources, worker.used);
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
  for (const PlanPlace& place : program->places()) {
    PoolState& pool = state_.UsePool(place.pool);
    run.ready.push_back({.pool = &pool, .place = &state_.UsePlace(pool, *place.need), .jobs = {}});
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
    queue.place->with_ready.erase(fact.run);
  }
}

void Applier::On(const model::RunClosed& fact) {
  RunState& run = RunOf(fact.run);
  kRunMachine.Fire(run.phase, RunTrigger::kClosed);
  if (!run.accepted.idempotency_key.empty()) {
    state_.by_key.erase(run.accepted.idempotency_key);
  }
  for (const ReadyQueue& queue : run.ready) {
    queue.place->with_ready.erase(fact.run);
    State::LeavePlace(*queue.pool, *queue.place);
    state_.LeavePool(*queue.pool);
  }
  const model::PlanDigest digest = run.accepted.plan;
  state_.runs.erase(fact.run);
  // A run that has grown holds a program of its own.
  const auto program = state_.programs.find(digest);
  if (program != state_.programs.end() && program->second.use_count() == 1) {
    state_.programs.erase(program);
  }
}

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
