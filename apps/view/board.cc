// SPDX-License-Identifier: Apache-2.0
#include "apps/view/board.h"

#include <algorithm>
#include <iterator>
#include <variant>

#include <fmt/format.h>

#include "engine/model/expand.h"

namespace apps::view {
namespace {

bool IsTrouble(model::Status status) {
  return status == model::Status::kFailed || status == model::Status::kTimedOut ||
         status == model::Status::kWarned;
}

std::size_t At(model::Status status) {
  return static_cast<std::size_t>(status);
}

}  // namespace

Board::Board(model::RunId run, model::PlanRef plan) : run_(run), plan_(std::move(plan)) {
  const auto count = static_cast<std::uint32_t>(plan_->jobs.size());
  names_.reserve(count);
  jobs_.resize(count);
  stage_of_.resize(count);
  for (const model::StageSpec& stage : plan_->stages) {
    stages_.push_back({.name = stage.name, .jobs = {}, .counts = {}});
  }
  const auto unstaged = static_cast<std::uint32_t>(stages_.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    const model::JobIndex job(i);
    names_.push_back(model::JobName(*plan_, job));
    const std::uint32_t stage = model::SpecOf(*plan_, job).stage;
    stage_of_[i] = stage == model::kNoStage ? unstaged : stage;
    if (stage_of_[i] == stages_.size()) {
      stages_.emplace_back();
    }
    stages_[stage_of_[i]].jobs.push_back(job);
    ++stages_[stage_of_[i]].counts[At(model::Status::kWaiting)];
  }
  counts_[At(model::Status::kWaiting)] = count;
}

void Board::Apply(const model::Fact& fact) {
  if (model::RunOf(fact) != run_) {
    return;
  }
  deployments_.Apply(fact);
  std::visit([&](const auto& body) { On(body, fact.at); }, fact.body);
}

void Board::On(const model::RunAccepted& fact, base::Instant at) {
  context_ = fact.context;
  accepted_at_ = at;
  status_ = model::Status::kRunning;
}

void Board::On(const model::RunQueued& fact, base::Instant) {
  status_ = model::Status::kWaiting;
  reason_ = fact.reason;
}

void Board::On(const model::RunAdmitted&, base::Instant) {
  status_ = model::Status::kRunning;
  reason_ = {};
}

void Board::On(const model::JobDelayed& fact, base::Instant) {
  SetStatus(fact.job, model::Status::kWaiting);
  Job(fact.job).reason = {.code = model::ReasonCode::kWaitsForDelay, .until = fact.until};
}

void Board::On(const model::ApprovalRequested& fact, base::Instant) {
  SetStatus(fact.job, model::Status::kWaiting);
  Job(fact.job).reason = fact.reason;
  Job(fact.job).asks = true;
}

void Board::On(const model::ApprovalDecided& fact, base::Instant) {
  Job(fact.job).asks = false;
  Job(fact.job).approval = fact.approval;
  Job(fact.job).reason = {};
}

void Board::On(const model::JobQueued& fact, base::Instant at) {
  if (context_ != nullptr) {
    deployments_.Claim(fact, at, *context_, *plan_);
  }
  SetStatus(fact.job, model::Status::kWaiting);
  JobState& job = Job(fact.job);
  job.reason = fact.reason;
  job.environment = fact.environment;
  job.environment_url = fact.environment_url;
}

void Board::On(const model::AttemptUnheard& fact, base::Instant) {
  Job(fact.key.job).reason = {.code = model::ReasonCode::kWaitsForLostWorker,
                              .until = fact.deadline};
}

// The new jobs stand behind the one that stood for them.
void Board::On(const model::JobsExpanded& fact, base::Instant) {
  const model::JobIndex first = fact.expansion.job;
  const std::uint32_t before = job_count();
  plan_ = model::Expand(*plan_, fact.expansion);
  const auto count = static_cast<std::uint32_t>(plan_->jobs.size());
  names_[base::AsIndex(first)] = model::JobName(*plan_, first);
  jobs_.resize(count);
  StageGroup& stage = stages_[stage_of(first)];
  std::vector<model::JobIndex> added;
  for (std::uint32_t i = before; i < count; ++i) {
    added.emplace_back(i);
    names_.push_back(model::JobName(*plan_, model::JobIndex(i)));
    stage_of_.push_back(stage_of(first));
  }
  stage.jobs.insert(std::next(std::ranges::find(stage.jobs, first)), added.begin(), added.end());
  stage.counts[At(model::Status::kWaiting)] += count - before;
  counts_[At(model::Status::kWaiting)] += count - before;
}

void Board::On(const model::RunCancelRequested& fact, base::Instant) {
  cancel_requested_ = true;
  reason_ = fact.reason;
}

void Board::On(const model::RunEnded& fact, base::Instant at) {
  status_ = fact.status;
  reason_ = fact.reason;
  ended_at_ = at;
}

void Board::On(const model::JobReadied& fact, base::Instant at) {
  SetStatus(fact.job, model::Status::kReady);
  Job(fact.job).ready_at = at;
  Job(fact.job).reason = {};
}

void Board::On(const model::JobWaitNoted& fact, base::Instant) {
  Job(fact.job).reason = fact.reason;
}

void Board::On(const model::JobBackedOff& fact, base::Instant) {
  SetStatus(fact.job, model::Status::kWaiting);
  Job(fact.job).reason = fact.reason;
}

void Board::On(const model::JobEnded& fact, base::Instant at) {
  JobState& job = Job(fact.job);
  job.asks = false;
  job.result = fact.result;
  job.reason = fact.result->reason;
  job.ended_at = at;
  SetStatus(fact.job, fact.result->status);
}

void Board::On(const model::AttemptAssigned& fact, base::Instant at) {
  AttemptState& attempt = Attempt(fact.lease.key);
  attempt.worker = fact.lease.worker;
  attempt.assigned_at = at;
}

void Board::On(const model::AttemptStarted& fact, base::Instant at) {
  AttemptState& attempt = Attempt(fact.key);
  attempt.begun = true;
  attempt.status = model::Status::kRunning;
  attempt.slot = fact.slot;
  attempt.started_at = at;
  ++Job(fact.key.job).attempts_begun;
  Job(fact.key.job).reason = {};
  SetStatus(fact.key.job, model::Status::kRunning);
}

void Board::On(const model::StepStarted& fact, base::Instant at) {
  StepState& step = Step(fact.key, fact.step);
  step.status = model::Status::kRunning;
  step.started = at;
}

void Board::On(const model::StepEnded& fact, base::Instant at) {
  StepState& step = Step(fact.key, fact.step);
  step.status = fact.status;
  step.reason = fact.reason;
  step.took = fact.took;
  step.ended = at;
  step.log = fact.log;
  lost_log_bytes_ += fact.log.lost_bytes;
}

void Board::On(const model::AttemptEnded& fact, base::Instant at) {
  AttemptState& attempt = Attempt(fact.key);
  attempt.ended = true;
  attempt.status = fact.status;
  attempt.infra = fact.infra;
  attempt.reason = fact.reason;
  attempt.took = fact.took;
  attempt.ended_at = at;
  // Nobody will tell any more how a running step ended: it shares its attempt's end.
  for (StepState& step : attempt.steps) {
    if (step.status == model::Status::kRunning) {
      step.status = fact.status;
      step.reason = fact.reason;
      step.ended = at;
      step.took = at - step.started;
      step.ended_with_attempt = true;
    }
  }
}

AttemptState& Board::Attempt(const model::AttemptKey& key) {
  std::vector<AttemptState>& attempts = Job(key.job).attempts;
  const auto found = std::ranges::find(attempts, key.attempt, &AttemptState::number);
  if (found != attempts.end()) {
    return *found;
  }
  attempts.emplace_back();
  attempts.back().number = key.attempt;
  return attempts.back();
}

StepState& Board::Step(const model::AttemptKey& key, model::StepIndex step) {
  std::vector<StepState>& steps = Attempt(key).steps;
  if (steps.size() <= base::AsIndex(step)) {
    steps.resize(base::AsIndex(step) + 1);
  }
  return steps[base::AsIndex(step)];
}

const AttemptState* Board::attempt(const model::AttemptKey& key) const {
  const std::vector<AttemptState>& attempts = job(key.job).attempts;
  const auto found = std::ranges::find(attempts, key.attempt, &AttemptState::number);
  return found == attempts.end() ? nullptr : &*found;
}

void Board::SetStatus(model::JobIndex job, model::Status status) {
  JobState& state = Job(job);
  StageGroup& stage = stages_[stage_of_[base::AsIndex(job)]];
  --counts_[At(state.status)];
  --stage.counts[At(state.status)];
  state.status = status;
  ++counts_[At(status)];
  ++stage.counts[At(status)];
  if (status == model::Status::kRunning) {
    running_.insert(job);
  } else {
    running_.erase(job);
  }
  if (IsTrouble(status)) {
    troubled_.insert(job);
  }
}

std::vector<model::Reason> WithTimes(const Board& board, model::JobIndex job,
                                     std::vector<model::Reason> reasons) {
  const std::vector<AttemptState>& attempts = board.job(job).attempts;
  if (attempts.empty() || attempts.back().steps.empty()) {
    return reasons;
  }
  // Services are the first steps and begin together.
  const base::Instant started = attempts.back().steps.front().started;
  for (model::Reason& reason : reasons) {
    if (reason.code == model::ReasonCode::kWaitsForServices) {
      reason.subject += fmt::format(" (since {})", base::FormatInstant(started));
    }
  }
  return reasons;
}

std::vector<model::StepIndex> TroubledSteps(const AttemptState& attempt) {
  std::vector<model::StepIndex> troubled;
  for (std::size_t i = 0; i < attempt.steps.size(); ++i) {
    const model::Status status = attempt.steps[i].status;
    if (status == model::Status::kFailed || status == model::Status::kTimedOut) {
      troubled.emplace_back(static_cast<std::uint32_t>(i));
    }
  }
  return troubled;
}

}  // namespace apps::view
