// SPDX-License-Identifier: Apache-2.0
// Why a job does not run now, worked out from the state when somebody asks.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "engine/core/core.h"
#include "engine/core/state.h"
#include "engine/core/stepper.h"
#include "engine/placement/fit.h"

namespace engine::core {
namespace {

using base::AsIndex;
using model::JobIndex;
using model::Reason;
using model::ReasonCode;
using model::SpecIndex;
using model::Status;

/// Of needs still open, how many are named.
constexpr std::size_t kNeedsNamedMax = 10;

base::Instant DeadlineOf(const State& state, const JobState& job) {
  return job.deadline_position == kNotInHeap ? base::Instant()
                                             : state.deadlines.at(job.deadline_position).at;
}

// A need that runs or waits for a retry holds the job up more visibly than one that only waits, so
// it is named first.
bool IsUnderWay(const RunState& run, SpecIndex spec) {
  return run.node_of(spec).active != 0;
}

void AddOpenNeeds(const RunState& run, SpecIndex index, std::vector<Reason>& reasons) {
  const model::JobSpec& spec = run.plan().specs[AsIndex(index)];
  for (const bool under_way : {true, false}) {
    for (const model::Need& need : spec.needs) {
      const NodeState& node = run.node(run.graph().NodeOfNeed(index, need));
      if (node.open == 0 || IsUnderWay(run, need.spec) != under_way ||
          reasons.size() >= kNeedsNamedMax) {
        continue;
      }
      reasons.push_back({.code = ReasonCode::kWaitsForNeeds,
                         .detail = node.open,
                         .subject = run.plan().specs[AsIndex(need.spec)].name});
    }
  }
}

// The first earlier stage that has not ended is what the job waits for; the others follow from it.
void AddOpenStage(const RunState& run, const model::JobSpec& spec, std::vector<Reason>& reasons) {
  if (spec.has_needs || spec.stage == model::kNoStage) {
    return;
  }
  for (std::uint32_t stage = 0; stage < spec.stage; ++stage) {
    if (run.node(run.graph().NodeOf(model::StageIndex(stage))).open_needs != 0) {
      reasons.push_back(
          {.code = ReasonCode::kWaitsForStage, .subject = run.plan().stages[stage].name});
      return;
    }
  }
}

Explanation ExplainWaiting(const RunState& run, JobIndex job) {
  const SpecIndex index = run.spec_of(job);
  const model::JobSpec& spec = run.plan().specs[AsIndex(index)];
  Explanation explanation{.status = Status::kWaiting, .reasons = {}};
  if (run.node_of(index).open_needs == 0) {
    explanation.reasons.push_back({.code = ReasonCode::kWaitsForMatrixLimit,
                                   .detail = spec.matrix != nullptr ? spec.matrix->max_parallel : 0,
                                   .subject = spec.name});
    return explanation;
  }
  AddOpenNeeds(run, index, explanation.reasons);
  AddOpenStage(run, spec, explanation.reasons);
  return explanation;
}

// Each group it cannot have yet, with who holds it.
Explanation ExplainQueue(const State& state, const RunState& run, placement::Ticket ticket,
                         base::Instant until) {
  Explanation explanation{.status = Status::kWaiting, .reasons = {}};
  for (const model::GroupClaim& claim : state.groups.At(ticket).claims) {
    const placement::Groups::Group& group = state.groups.Of(claim.group);
    const bool is_first = *group.waiting.begin() == ticket;
    if (is_first && group.holding.size() < claim.max) {
      continue;
    }
    explanation.reasons.push_back(
        {.code = ReasonCode::kWaitsForGroup,
         .detail = static_cast<std::int64_t>(state.groups.PlaceOf(claim.group, ticket)),
         .until = until,
         .subject = DescribeGroup(state, claim.group, run.id())});
  }
  return explanation;
}

Explanation ExplainReady(const State& state, const RunState& run, JobIndex index) {
  const SpecIndex spec = run.spec_of(index);
  Reason reason = WaitsForWorkers(state, run.plan().specs[AsIndex(spec)], run.queue_of(spec));
  reason.until = DeadlineOf(state, run.job(index));
  return {.status = Status::kReady, .reasons = {std::move(reason)}};
}

Explanation ExplainStop(const State& state, Status status, const JobState& job) {
  Explanation explanation{.status = status, .reasons = {}};
  if (job.attempt_phase == AttemptPhase::kUnheard) {
    explanation.reasons.push_back(
        {.code = ReasonCode::kWaitsForLostWorker, .until = DeadlineOf(state, job)});
  }
  if (job.detail != nullptr && job.detail->stop.has_value()) {
    Reason reason = job.detail->stop->reason;
    reason.until = job.detail->stop->deadline;
    explanation.reasons.push_back(std::move(reason));
  }
  return explanation;
}

bool IsAsked(const model::ReadySpec& ready) {
  return ready.tcp != 0 || !ready.http.text.empty() || !ready.command.text.empty() ||
         !ready.log.empty();
}

// All begin at once, and which of them is ready is not reported: the first step behind them tells
// of all.
bool AwaitsServices(const model::JobSpec& spec, const JobState& job) {
  const std::size_t services = model::RareOf(spec).services.size();
  return services > 0 && job.phase == JobPhase::kRunning && job.next_step == services &&
         !job.in_step && job.detail != nullptr && job.detail->background.size() == services;
}

Explanation ExplainRunning(const State& state, const RunState& run, JobIndex index) {
  const JobState& job = run.job(index);
  Explanation explanation = ExplainStop(state, Status::kRunning, job);
  const model::JobSpec& spec = model::SpecOf(run.plan(), index);
  if (!explanation.reasons.empty() || !AwaitsServices(spec, job)) {
    return explanation;
  }
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < spec.rare->services.size(); ++i) {
    if (IsAsked(spec.rare->services[i])) {
      names.push_back(spec.steps[i].id);
    }
  }
  if (!names.empty()) {
    explanation.reasons.push_back({.code = ReasonCode::kWaitsForServices,
                                   .subject = fmt::format("{}", fmt::join(names, ", "))});
  }
  return explanation;
}

Explanation ExplainJob(const State& state, const RunState& run, JobIndex index) {
  const JobState& job = run.job(index);
  switch (job.phase) {
    case JobPhase::kWaiting:
      return run.phase == RunPhase::kQueued
                 ? ExplainQueue(state, run, run.queued->ticket, base::Instant())
                 : ExplainWaiting(run, index);
    case JobPhase::kDelayed:
      return {.status = Status::kWaiting,
              .reasons = {{.code = ReasonCode::kWaitsForDelay, .until = DeadlineOf(state, job)}}};
    case JobPhase::kAsking: {
      const JobGates& gates = *job.gates();
      return {.status = Status::kWaiting,
              .reasons = {gates.asked_again ? gates.asked_again->reason : gates.asked->reason}};
    }
    case JobPhase::kQueued:
      return ExplainQueue(state, run, job.ticket(), DeadlineOf(state, job));
    case JobPhase::kReady:
      return ExplainReady(state, run, index);
    case JobPhase::kPlaced: {
      Explanation explanation = ExplainStop(state, Status::kReady, job);
      explanation.reasons.push_back({.code = ReasonCode::kWaitsForWorker,
                                     .detail = static_cast<std::int64_t>(job.worker->id().value()),
                                     .subject = job.worker->phase == WorkerPhase::kSuspected
                                                    ? "nothing is heard of it"
                                                    : ""});
      return explanation;
    }
    case JobPhase::kRunning:
    case JobPhase::kSettling:
      return ExplainRunning(state, run, index);
    case JobPhase::kBackedOff: {
      const Reason& cause = job.detail->backed_off->reason;
      return {.status = Status::kWaiting,
              .reasons = {{.code = ReasonCode::kWaitsForBackoff,
                           .detail = job.attempt + 1,
                           .until = cause.until,
                           .subject = Describe(cause)}}};
    }
    case JobPhase::kEnded:
      break;
  }
  Explanation explanation{.status = job.result->status, .reasons = {}};
  if (job.result->reason.code != ReasonCode::kNone) {
    explanation.reasons.push_back(job.result->reason);
  }
  return explanation;
}

}  // namespace

Reason WaitsForWorkers(const State& state, const model::JobSpec& spec, const ReadyQueue& queue) {
  const PoolState& pool = *queue.pool;
  const PlaceState& place = *queue.place;
  if (NothingFits(queue)) {
    return {.code = ReasonCode::kWaitsForFit, .subject = DescribeShortage(state, queue)};
  }
  const bool asks = place.number != 0;
  const std::string_view why = pool.workers == 0               ? "no worker is connected"
                               : pool.workers == pool.draining ? "every worker of it is leaving"
                               : !place.with_room.empty()      ? "jobs before it go first"
                               : asks ? "what it asks for is in use wherever it is offered"
                                      : "every slot is busy";
  if (pool.name == model::kDefaultPool && model::RareOf(spec).pool.empty()) {
    return {.code = ReasonCode::kWaitsForSlot, .subject = std::string(why)};
  }
  return {.code = ReasonCode::kWaitsForPool, .subject = fmt::format("{}: {}", pool.name, why)};
}

std::string DescribeShortage(const State& state, const ReadyQueue& queue) {
  placement::Shortage shortage(queue.place->need);
  for (const auto& [id, worker] : state.workers) {
    if (worker->pool == queue.pool && worker->phase != WorkerPhase::kLost) {
      shortage.Look(worker->joined.offer);
    }
  }
  const std::uint32_t workers = queue.pool->workers;
  if (queue.pool->alone > 0) {
    return fmt::format("this machine does not offer {}", shortage.Text());
  }
  return fmt::format("no worker of pool {} offers {} ({} worker{})", queue.pool->name,
                     shortage.Text(), workers, workers == 1 ? "" : "s");
}

std::optional<Explanation> EngineCore::Explain(model::RunId run, JobIndex job,
                                               base::Instant /*now*/) const {
  const RunState* found = std::as_const(*state_).FindRun(run);
  if (found == nullptr || job.value() >= found->jobs.size()) {
    return std::nullopt;
  }
  return ExplainJob(*state_, *found, job);
}

}  // namespace engine::core
