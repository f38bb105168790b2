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
  if (known != nullptr && input.session == known->joined.session &&
      known->phase == WorkerPhase::kLost) {
    return Refuse(RefusalCode::kStaleSession, {}, "the session is over");
  }
  if (known != nullptr && input.session == known->joined.session) {
    return known->phase == WorkerPhase::kSuspected
               ? Emit(model::WorkerRecovered{.worker = input.worker})
               : Refuse(RefusalCode::kRepeated, {}, "the session is known");
  }
  if (known != nullptr) {
    LoseWorker(*known, input.owner_restarted ? "the engine was restarted" : "it began anew",
               input.owner_restarted ? WorkerEnd::kWithEngine : WorkerEnd::kGone);
  }
  Emit(model::WorkerJoined{.worker = input.worker,
                           .session = input.session,
                           .pool = input.pool,
                           .slots = input.slots,
                           .ahead_max = input.ahead_max,
                           .recent = {},
                           .offer = input.offer,
                           .alone = input.alone});
}

// The worker of exactly this session (0: of any), or null and a refusal. One that is lost is kept
// only for attempts that may still run there.
WorkerState* Stepper::FindSession(model::WorkerId worker, model::SessionId session) {
  WorkerState* known = state_.FindWorker(worker);
  const bool matches =
      known != nullptr && (session.value() == 0 || known->joined.session == session);
  if (known == nullptr || (matches && known->phase == WorkerPhase::kLost)) {
    Refuse(RefusalCode::kUnknownWorker, {}, "the worker is not known");
    return nullptr;
  }
  if (!matches) {
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
    LoseWorker(*worker, "nothing was heard of it", WorkerEnd::kSilent);
  }
}

void Stepper::On(const model::WorkerGone& input) {
  WorkerState* lost = state_.FindWorker(input.worker);
  const bool is_lost = lost != nullptr && lost->phase == WorkerPhase::kLost &&
                       (input.session.value() == 0 || lost->joined.session == input.session);
  WorkerState* worker = is_lost ? lost : FindSession(input.worker, input.session);
  if (worker != nullptr) {
    LoseWorker(*worker, input.cause, WorkerEnd::kGone);
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
// matter. `worker` may be gone when this returns.
void Stepper::LoseWorker(WorkerState& worker, std::string cause, WorkerEnd end) {
  std::vector<AttemptRef> lost = worker.attempts;
  std::sort(lost.begin(), lost.end(), [](const AttemptRef& a, const AttemptRef& b) {
    return std::pair(a.run->id(), a.job) < std::pair(b.run->id(), b.job);
  });
  if (worker.phase != WorkerPhase::kLost) {
    Emit(model::WorkerLost{.worker = worker.id(),
                           .reason = {.code = ReasonCode::kWorkerLost, .subject = cause}});
  }
  for (const AttemptRef& attempt : lost) {
    if (end == WorkerEnd::kSilent &&
        model::IsExclusive(model::SpecOf(attempt.run->plan(), attempt.job))) {
      WaitOut(*attempt.run, attempt.job);
    } else {
      LoseAttempt(*attempt.run, attempt.job, cause, end == WorkerEnd::kWithEngine);
    }
  }
}

}  // namespace engine::core
