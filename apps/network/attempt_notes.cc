// SPDX-License-Identifier: Apache-2.0
#include "apps/network/attempt_notes.h"

#include <utility>
#include <variant>
#include <vector>

#include "engine/base/overloaded.h"
#include "engine/model/expand.h"

namespace apps::network {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

namespace {

std::uint64_t LengthOf(const model::StepLog& log) {
  std::uint64_t length = log.lost_bytes;
  for (const model::LogRange& range : log.ranges) {
    length += range.length;
  }
  return length;
}

}  // namespace

void Note(const model::Fact& fact, RunNotes& notes) {
  std::visit(
      base::Overloaded{
          [&](const model::AttemptAssigned& body) {
            notes.attempts[body.lease.key].worker = body.lease.worker;
          },
          [&](const model::StepStarted& body) {
            notes.attempts[body.key].steps.try_emplace(body.step);
          },
          [&](const model::StepEnded& body) {
            notes.attempts[body.key].steps[body.step] = LengthOf(body.log);
          },
          [&](const model::AttemptEnded& body) { notes.attempts[body.key].has_ended = true; },
          [&](const model::JobsExpanded& body) {
            if (notes.plan != nullptr && model::CanExpand(*notes.plan, body.expansion)) {
              notes.plan = model::Expand(*notes.plan, body.expansion);
            }
          },
          [&](const model::RunClosed&) { notes.is_closed = true; }, [](const auto&) {}},
      fact.body);
}

void Merge(const RunNotes& read, RunNotes& notes) {
  notes.plan = read.plan;
  notes.is_closed = notes.is_closed || read.is_closed;
  for (const auto& [key, attempt] : read.attempts) {
    AttemptNote& mine = notes.attempts[key];
    mine.worker = attempt.worker;
    mine.has_ended = mine.has_ended || attempt.has_ended;
    for (const auto& [step, length] : attempt.steps) {
      std::optional<std::uint64_t>& known = mine.steps[step];
      known = known ? known : length;
    }
  }
}

base::StatusOr<std::map<model::RunId, RunNotes>> ReadNotes(ports::RunStore& store,
                                                           const std::set<model::RunId>& runs) {
  std::map<model::RunId, RunNotes> found;
  base::Status failed;
  const std::vector<model::RunId> ascending(runs.begin(), runs.end());
  RETURN_IF_ERROR(store.ReadRuns(ascending, [&](const ports::FactRow& row) {
    RunNotes& notes = found[row.run];
    for (const model::Fact& fact : row.facts) {
      if (const auto* accepted = std::get_if<model::RunAccepted>(&fact.body)) {
        auto plan = store.LoadPlan(accepted->plan);
        failed = plan.status();
        notes.plan = plan.ok() ? *std::move(plan) : nullptr;
      }
      Note(fact, notes);
    }
    return failed.ok();
  }));
  RETURN_IF_ERROR(failed);
  return found;
}

std::uint32_t StepCount(const model::JobSpec& spec) {
  return static_cast<std::uint32_t>(spec.steps.size() + model::RareOf(spec).finally_steps.size());
}

}  // namespace apps::network
