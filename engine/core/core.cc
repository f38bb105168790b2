// SPDX-License-Identifier: Apache-2.0
#include "engine/core/core.h"

#include <algorithm>
#include <utility>

#include "engine/core/apply.h"
#include "engine/core/stepper.h"

namespace engine::core {

EngineCore::EngineCore() : state_(std::make_unique<State>()) {}
EngineCore::~EngineCore() = default;
EngineCore::EngineCore(EngineCore&&) noexcept = default;
EngineCore& EngineCore::operator=(EngineCore&&) noexcept = default;

Decisions EngineCore::Step(const model::Input& input, base::Instant now) {
  Decisions decisions;
  Stepper stepper(*state_, now, decisions);
  std::visit([&](const auto& body) { stepper.On(body); }, input);
  stepper.Settle();
  return decisions;
}

std::optional<base::Instant> EngineCore::NextDeadline(base::Instant now) const {
  if (state_->deadlines.empty()) {
    return std::nullopt;
  }
  return std::max(state_->deadlines.top().at, now + base::Duration(1));
}

void EngineCore::Apply(const model::Fact& fact, const model::PlanRef& plan) {
  ApplyFact(*state_, fact, plan, nullptr);
}

std::vector<model::RunId> EngineCore::OpenRuns() const {
  std::vector<model::RunId> runs;
  runs.reserve(state_->runs.size());
  for (const auto& [id, run] : state_->runs) {
    runs.push_back(id);
  }
  return runs;
}

std::vector<std::pair<model::WorkerId, model::SessionId>> EngineCore::Workers() const {
  std::vector<std::pair<model::WorkerId, model::SessionId>> workers;
  workers.reserve(state_->workers.size());
  for (const auto& [id, worker] : state_->workers) {
    if (worker->phase != WorkerPhase::kLost) {
      workers.emplace_back(id, worker->joined.session);
    }
  }
  return workers;
}

// ---- what every machine's part of a step uses

void Stepper::Settle() {
  while (true) {
    if (next_released_ < consequences_.released.size()) {
      const Released released = consequences_.released[next_released_++];
      Evaluate(*released.run, released.spec);
    } else if (!consequences_.freed.empty()) {
      const model::GroupName group =
          std::move(consequences_.freed.extract(consequences_.freed.begin()).value());
      LetIn(group);
    } else if (next_touched_ < touched_.size()) {
      EndRunIfDone(*touched_[next_touched_++]);
    } else {
      break;
    }
  }
  Place();
}

void Stepper::Emit(model::FactBody body) {
  if (out_.facts.empty()) {
    out_.facts.reserve(8);
  }
  const model::Fact& fact =
      out_.facts.emplace_back(model::Fact{.at = now_, .body = std::move(body)});
  ApplyFact(state_, fact, nullptr, &consequences_);
}

void Stepper::Refuse(model::RefusalCode code, model::RunId run, std::string message) {
  out_.refused.push_back({.code = code, .run = run, .message = std::move(message)});
}

base::Instant Stepper::After(base::Duration delay) const {
  constexpr base::Duration kLongest = std::chrono::hours(24 * 365 * 100);
  return now_ + std::clamp(delay, base::Duration(1), kLongest);
}

void Stepper::Touch(RunState& run) {
  if (next_touched_ == touched_.size() || touched_.back() != &run) {
    touched_.push_back(&run);
  }
}

}  // namespace engine::core
