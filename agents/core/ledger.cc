// SPDX-License-Identifier: Apache-2.0
#include "agents/core/ledger.h"

#include <algorithm>
#include <array>

#include "engine/base/overloaded.h"

namespace agents::core {
namespace {

namespace model = engine::model;

// Positions in `Input`.
constexpr std::size_t kAssignment = 0;
constexpr std::size_t kStop = 1;
constexpr std::size_t kTook = 2;
constexpr std::size_t kFinished = 3;
constexpr std::size_t kAcknowledged = 4;
constexpr std::size_t kDropped = 5;

using S = AttemptState;

// What is not here changes nothing and orders nothing.
constexpr std::array<Transition, 14> kTransitions = {{
    {kAssignment, S::kNew, S::kQueued, Order::kEnqueue},
    {kAssignment, S::kQueued, S::kQueued, Order::kNothing},
    {kAssignment, S::kRunning, S::kRunning, Order::kNothing},
    {kAssignment, S::kHeld, S::kHeld, Order::kSendResult},
    {kAssignment, S::kDone, S::kDone, Order::kRefuseRepeated},
    {kStop, S::kNew, S::kHeld, Order::kRefuse},
    {kStop, S::kQueued, S::kHeld, Order::kWithdraw},
    {kStop, S::kRunning, S::kRunning, Order::kEndRunning},
    {kStop, S::kHeld, S::kHeld, Order::kSendResult},
    {kStop, S::kDone, S::kDone, Order::kRefuseRepeated},
    {kTook, S::kQueued, S::kRunning, Order::kNothing},
    {kFinished, S::kRunning, S::kHeld, Order::kSendResult},
    {kAcknowledged, S::kHeld, S::kDone, Order::kNothing},
    {kDropped, S::kHeld, S::kDone, Order::kNothing},
}};

const Transition* Find(std::size_t input, AttemptState from) {
  const auto* found = std::ranges::find_if(
      kTransitions, [&](const Transition& row) { return row.input == input && row.from == from; });
  return found == kTransitions.end() ? nullptr : found;
}

model::Lease LeaseOf(const model::AttemptKey& key) {
  return {.key = key, .worker = {}, .session = {}};
}

}  // namespace

std::span<const Transition> Transitions() {
  return kTransitions;
}

Decisions Ledger::Step(const Input& input) {
  return std::visit(
      engine::base::Overloaded{
          [&](const AssignmentReceived& seen) {
            return StepAttempt(kAssignment, seen.lease, false);
          },
          [&](const StopReceived& seen) { return StepAttempt(kStop, seen.lease, seen.kill); },
          [&](const SlotTook& seen) { return StepAttempt(kTook, LeaseOf(seen.key), false); },
          [&](const AttemptFinished& seen) {
            return StepAttempt(kFinished, LeaseOf(seen.key), false);
          },
          [&](const ResultAcknowledged& seen) {
            return StepAttempt(kAcknowledged, LeaseOf(seen.key), false);
          },
          [&](const ResultDropped& seen) {
            return StepAttempt(kDropped, LeaseOf(seen.key), false);
          },
          [&](const RunForgotten& seen) {
            Decisions decisions{.fact = RunDropped{seen.run}};
            Apply(*decisions.fact);
            return decisions;
          }},
      input);
}

Decisions Ledger::StepAttempt(std::size_t input, model::Lease lease, bool kill) {
  const auto found = attempts_.find(lease.key);
  const bool known = found != attempts_.end();
  const AttemptState from = known ? found->second.state : AttemptState::kNew;
  const Transition* row = Find(input, from);
  if (row == nullptr) {
    return {};
  }
  bool moved = row->to != from;
  if (known) {
    // An order of a newer session means that the engine adopted the attempt: answer to that one.
    const bool newer = lease.session > found->second.session;
    moved = moved || newer;
    if (!newer) {
      lease.worker = found->second.worker;
      lease.session = found->second.session;
    }
  }
  Decisions decisions{.effect = {.order = row->order, .lease = lease, .kill = kill}};
  if (moved) {
    decisions.fact = AttemptMoved{.lease = lease, .to = row->to};
    Apply(*decisions.fact);
  }
  return decisions;
}

void Ledger::Apply(const Fact& fact) {
  std::visit(engine::base::Overloaded{[&](const AttemptMoved& moved) {
                                        attempts_[moved.lease.key] = {
                                            .worker = moved.lease.worker,
                                            .session = moved.lease.session,
                                            .state = moved.to};
                                      },
                                      [&](const RunDropped& dropped) {
                                        std::erase_if(attempts_, [&](const auto& entry) {
                                          return entry.first.run == dropped.run;
                                        });
                                      }},
             fact);
}

AttemptState Ledger::StateOf(const model::AttemptKey& key) const {
  const auto found = attempts_.find(key);
  return found == attempts_.end() ? AttemptState::kNew : found->second.state;
}

std::vector<model::Lease> Ledger::In(AttemptState state) const {
  std::vector<model::Lease> leases;
  for (const auto& [key, entry] : attempts_) {
    if (entry.state == state) {
      leases.push_back({.key = key, .worker = entry.worker, .session = entry.session});
    }
  }
  return leases;
}

std::vector<model::RunId> Ledger::Runs() const {
  std::vector<model::RunId> runs;
  for (const auto& [key, entry] : attempts_) {
    if (runs.empty() || runs.back() != key.run) {
      runs.push_back(key.run);
    }
  }
  return runs;
}

}  // namespace agents::core
