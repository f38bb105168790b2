// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/agent.h"

#include <utility>

#include "tests/sim/outcomes.h"

namespace tests::sim {

using namespace engine::model;  // NOLINT(google-build-using-namespace)
using engine::base::AsIndex;
using engine::base::Duration;
using std::chrono::milliseconds;

Agent::Agent(WorkerId worker, SessionId session, std::uint32_t slots,
             AgentSurroundings surroundings)
    : worker_(worker), session_(session), slots_(slots), world_(std::move(surroundings)) {}

bool Agent::cut_off() const {
  return world_.schedule->Now() < cut_until_;
}

void Agent::CutOff(Duration length) {
  cut_until_ = world_.schedule->Now() + length;
}

void Agent::MaybeDie() {
  if (world_.random->OneIn(world_.faults->worker_dies, 1000)) {
    world_.die();
  } else if (world_.random->OneIn(world_.faults->worker_cut_off, 1000)) {
    const bool is_long = world_.random->OneIn(world_.faults->cut_is_long, 1000);
    CutOff(milliseconds(is_long ? 900'000 + world_.random->Below(900'000)
                                : world_.random->Below(60'000)));
  }
}

void Agent::Dispatched(const Assignment& assignment) {
  const AttemptKey& key = assignment.lease.key;
  if (!world_.orders_are_filtered && !seen_.insert(key).second) {
    return;
  }
  attempts_[key].assignment = assignment;
  queue_.push_back(key);
  FillSlots();
}

void Agent::FillSlots() {
  while (alive_ && busy_ < slots_ && !queue_.empty()) {
    const AttemptKey key = queue_.front();
    queue_.pop_front();
    ++busy_;
    Begin(attempts_.at(key), busy_ - 1);
  }
}

void Agent::Begin(Attempt& attempt, std::uint32_t slot) {
  const Lease lease = attempt.assignment.lease;
  world_.executed(lease);
  attempt.phase = Phase::kSteps;
  Report(lease.key, ReportStarted{slot});
  BeginStep(lease.key);
}

// A timer that counts only while the attempt is where it was.
void Agent::Later(const AttemptKey& key, Duration delay, std::function<void()> then) {
  const std::uint64_t turn = ++attempts_.at(key).turn;
  world_.schedule->After(delay, [this, key, turn, then = std::move(then)] {
    const auto found = attempts_.find(key);
    if (alive_ && found != attempts_.end() && found->second.turn == turn) {
      then();
    }
  });
}

void Agent::BeginStep(const AttemptKey& key) {
  MaybeDie();
  if (!alive_) {
    return;
  }
  if (world_.step_begins) {
    world_.step_begins();
  }
  Attempt& attempt = attempts_.at(key);
  Report(key, ReportStepStarted{StepIndex(attempt.step)});
  if (StepAt(SpecOf(*attempt.assignment.plan, key.job), StepIndex(attempt.step))->background) {
    attempt.beside.insert(attempt.step);
    Advance(key);
    return;
  }
  const StepOutcome outcome = OutcomeOf(world_.outcome_seed, key, attempt.step);
  Later(key, outcome.takes, [this, key, outcome] {
    Reason reason;
    if (outcome.exit_code != 0) {
      reason = {.code = ReasonCode::kExitCode, .detail = outcome.exit_code};
    }
    EndStep(key, outcome.exit_code == 0 ? Status::kSucceeded : Status::kFailed, reason);
  });
}

void Agent::EndStep(const AttemptKey& key, Status status, const Reason& reason) {
  Attempt& attempt = attempts_.at(key);
  Report(key, ReportStepEnded{.step = StepIndex(attempt.step), .status = status, .reason = reason});
  if (status != Status::kSucceeded && attempt.phase == Phase::kSteps) {
    attempt.status = status;
    attempt.reason = reason;
  }
  Advance(key);
}

void Agent::Advance(const AttemptKey& key) {
  Attempt& attempt = attempts_.at(key);
  const JobSpec& spec = SpecOf(*attempt.assignment.plan, key.job);
  const auto steps = static_cast<std::uint32_t>(spec.steps.size());
  const auto all = steps + static_cast<std::uint32_t>(RareOf(spec).finally_steps.size());
  ++attempt.step;
  if (!attempt.beside.empty() && world_.random->OneIn(1, 3)) {
    EndBeside(key);
  }
  if (attempt.phase == Phase::kSteps &&
      (attempt.status != Status::kSucceeded || attempt.step >= steps)) {
    EndBeside(key);
    attempt.phase = Phase::kFinally;
    attempt.step = steps;
  }
  if (attempt.step < all) {
    BeginStep(key);
  } else {
    Finish(key);
  }
}

void Agent::EndBeside(const AttemptKey& key) {
  for (const std::uint32_t step : std::exchange(attempts_.at(key).beside, {})) {
    Report(key, ReportStepEnded{.step = StepIndex(step),
                                .status = Status::kSucceeded,
                                .reason = {.code = ReasonCode::kStepsEnded}});
  }
}

void Agent::Finish(const AttemptKey& key) {
  EndBeside(key);
  const Attempt attempt = std::move(attempts_.at(key));
  attempts_.erase(key);
  if (attempt.phase != Phase::kQueued) {
    --busy_;
  }
  world_.report(
      {attempt.assignment.lease,
       {ReportEnded{.status = attempt.status, .reason = attempt.reason, .took = milliseconds(1)}}});
  FillSlots();
}

void Agent::Stopped(const StopAttempt& stop) {
  const AttemptKey& key = stop.lease.key;
  const auto found = attempts_.find(key);
  if (found == attempts_.end()) {
    // Never heard of: a tombstone, and an answer.
    if (world_.orders_are_filtered || seen_.insert(key).second) {
      world_.report({stop.lease, {ReportEnded{Status::kCancelled, false, stop.reason}}});
    }
    return;
  }
  Attempt& attempt = found->second;
  const Status outcome =
      stop.reason.code == ReasonCode::kJobTimeout ? Status::kTimedOut : Status::kCancelled;
  if (attempt.phase == Phase::kQueued) {
    std::erase(queue_, key);
    attempt.status = outcome;
    attempt.reason = stop.reason;
    Finish(key);
    return;
  }
  if (attempt.hangs || world_.random->OneIn(world_.faults->stop_ignored, 1000)) {
    attempt.hangs = true;
    ++attempt.turn;  // the step goes on until somebody takes the worker away
    world_.schedule->After(milliseconds(world_.random->Below(300'000)), [this] {
      if (alive_) {
        world_.die();
      }
    });
    return;
  }
  if (attempt.phase == Phase::kFinally && !stop.kill) {
    return;
  }
  attempt.status = outcome;
  attempt.reason = stop.reason;
  const Duration delay =
      stop.kill ? Duration(0) : Duration(milliseconds(world_.random->Below(500)));
  const bool kill = stop.kill;
  Later(key, delay, [this, key, outcome, kill] {
    Attempt& stopped = attempts_.at(key);
    Report(key, ReportStepEnded{
                    .step = StepIndex(stopped.step), .status = outcome, .reason = stopped.reason});
    if (kill) {
      Finish(key);
    } else {
      Advance(key);
    }
  });
}

void Agent::Report(const AttemptKey& key, engine::model::Report report) {
  world_.report({attempts_.at(key).assignment.lease, {std::move(report)}});
}

void Agent::DropQueued() {
  for (const AttemptKey& key : std::exchange(queue_, {})) {
    attempts_.erase(key);
  }
}

void Agent::Abort(const AttemptKey& attempt) {
  if (attempts_.erase(attempt) > 0) {
    --busy_;
    FillSlots();
  }
}

void Agent::AbortAll() {
  attempts_.clear();
  queue_.clear();
  busy_ = 0;
}

std::vector<AttemptKey> Agent::running() const {
  std::vector<AttemptKey> keys;
  for (const auto& [key, attempt] : attempts_) {
    if (attempt.phase != Phase::kQueued) {
      keys.push_back(key);
    }
  }
  return keys;
}

}  // namespace tests::sim
