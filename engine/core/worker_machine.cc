// SPDX-License-Identifier: Apache-2.0
// Workers: sessions that come, fall silent, come back and are lost with what they ran.
#include <algorithm>
#include <utility>

#include "engine/core/stepper.h"

namespace engine::core {

using model::ReasonCode;
using model::RefusalCode;

void Stepper::On(const model::WorkerConnected& input) {
  WorkerState* known = state_.FindWorker(input.worker);
  if (known != nullptr && input.session < known->joined.session) {
    return Refuse(RefusalCode::kStaleSession, {}, "the worker has a newer session");
  }
  if (known != nullptr && input.session == known->joined.session) {
    return known->phase == WorkerPhase::kSuspected
               ? Emit(model::WorkerRecovered{.worker = input.worker})
               : Refuse(RefusalCode::kRepeated, {}, "the session is known");
  }
  if (known != nullptr) {
    LoseWorker(*known, input.owner_restarted ? "the engine was restarted" : "it began anew",
               input.owner_restarted);
  }
  Emit(model::WorkerJoined{.worker = input.worker,
                           .session = input.session,
                           .pool = input.pool,
                           .slots = input.slots,
                           .ahead_max = input.ahead_max,
                           .recent = {}});
}

// The worker of exactly this session (0: of any), or null and a refusal.
WorkerState* Stepper::FindSession(model::WorkerId worker, model::SessionId session) {
  WorkerState* known = state_.FindWorker(worker);
  if (known == nullptr) {
    Refuse(RefusalCode::kUnknownWorker, {}, "the worker is not known");
    return nullptr;
  }
  if (session.value() != 0 && known->joined.session != session) {
    Refuse(RefusalCode::kStaleSession, {}, "it is not the worker's session");
    return nullptr;
  }
  return known;
}

void Stepper::On(const model::WorkerSuspected& input) {
  const WorkerState* worker = FindSession(input.worker, input.session);
  if (worker == nullptr) {
    return;
  }
  if (!kWorkerMachine.CanFire(worker->phase, WorkerTrigger::kSuspected)) {
    return Refuse(RefusalCode::kRepeated, {}, "the worker is suspected already");
  }
  Emit(model::WorkerMarkedSuspect{.worker = input.worker, .lease_ends = After(kSuspicion)});
}

void Stepper::On(const model::WorkerReturned& input) {
  const WorkerState* worker = FindSession(input.worker, input.session);
  if (worker == nullptr) {
    return;
  }
  if (!kWorkerMachine.CanFire(worker->phase, WorkerTrigger::kRecovered)) {
    return Refuse(RefusalCode::kRepeated, {}, "the worker is not suspected");
  }
  Emit(model::WorkerRecovered{.worker = input.worker});
}

void Stepper::On(const model::WorkerSilent& input) {
  WorkerState* worker = FindSession(input.worker, input.session);
  if (worker != nullptr) {
    LoseWorker(*worker, "nothing was heard of it", false);
  }
}

void Stepper::On(const model::WorkerGone& input) {
  WorkerState* worker = FindSession(input.worker, input.session);
  if (worker != nullptr) {
    LoseWorker(*worker, input.cause, false);
  }
}

// What was given to it before stands before the order in its stream: it finishes that, or ends it.
void Stepper::On(const model::DrainRequested& input) {
  WorkerState* worker = FindSession(input.worker, input.session);
  if (worker == nullptr) {
    return;
  }
  const bool says_more =
      !worker->draining.has_value() || (input.stop_attempts && !worker->draining->stop_attempts);
  if (!says_more) {
    return Refuse(RefusalCode::kRepeated, {}, "the worker is being drained already");
  }
  Emit(model::WorkerMarkedDraining{
      .worker = input.worker,
      .stop_attempts = input.stop_attempts,
      .reason = {.code = ReasonCode::kDrainRequested, .subject = input.by}});
  out_.effects.emplace_back(DrainEffectOf(*worker));
}

// Its attempts end in the order of runs and jobs, so that the order they were assigned in does not
// matter. `worker` is gone when this returns.
void Stepper::LoseWorker(WorkerState& worker, std::string cause, bool at_no_expense) {
  std::vector<AttemptRef> lost = worker.attempts;
  std::sort(lost.begin(), lost.end(), [](const AttemptRef& a, const AttemptRef& b) {
    return std::pair(a.run->id(), a.job) < std::pair(b.run->id(), b.job);
  });
  Emit(model::WorkerLost{.worker = worker.id(),
                         .reason = {.code = ReasonCode::kWorkerLost, .subject = cause}});
  for (const AttemptRef& attempt : lost) {
    LoseAttempt(*attempt.run, attempt.job, cause, at_no_expense);
  }
}

}  // namespace engine::core
