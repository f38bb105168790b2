// SPDX-License-Identifier: Apache-2.0
#include "engine/core/needs.h"

#include <array>

#include "engine/base/check.h"

namespace engine::core {
namespace {

using base::AsIndex;
using model::NeedOn;
using model::SpecIndex;
using model::Status;

// An optional need that `--only` left out counts as if it had not been written.
bool IsLeftOut(const RunState& run, SpecIndex spec) {
  const graph::Cells cells = run.graph().CellsOf(spec);
  if (cells.count == 0) {
    return true;
  }
  const JobState& job = run.job(cells.first);
  return job.result != nullptr && job.result->status == Status::kSkipped &&
         job.result->reason.code == model::ReasonCode::kNotSelected;
}

NeedsOutcome JudgeStages(const RunState& run, std::uint32_t stage) {
  const NodeState& before = run.node(run.graph().NodeOf(model::StageIndex(stage - 1)));
  return {.verdict = before.unwell == 0 ? NeedsVerdict::kMet : NeedsVerdict::kNotMet,
          .subject = SpecIndex(before.first_unwell),
          .any_failed = before.after_failure != 0};
}

// A need that is not met goes before one that filtered, whichever was written first.
void Judge(const RunState& run, SpecIndex spec, const model::Need& need, NeedsOutcome& outcome) {
  const NodeState& node = run.node(run.graph().NodeOfNeed(spec, need));
  outcome.any_failed = outcome.any_failed || node.after_failure != 0;
  if (Satisfies(need.on, node) || outcome.verdict == NeedsVerdict::kNotMet ||
      (need.optional && IsLeftOut(run, need.spec))) {
    return;
  }
  const bool filtered = need.on == NeedOn::kFailure && node.unwell == 0;
  if (filtered && outcome.verdict == NeedsVerdict::kFilteredOut) {
    return;
  }
  outcome.verdict = filtered ? NeedsVerdict::kFilteredOut : NeedsVerdict::kNotMet;
  outcome.subject = need.spec;
}

}  // namespace

bool Satisfies(NeedOn on, const NodeState& need) {
  switch (on) {
    case NeedOn::kSuccess:
      return need.unwell == 0;
    case NeedOn::kFailure:
      return need.failed != 0;
    case NeedOn::kEnd:
      return true;
  }
  return false;
}

NeedsOutcome JudgeNeeds(const RunState& run, SpecIndex spec) {
  const model::JobSpec& written = run.plan().specs[AsIndex(spec)];
  NeedsOutcome outcome;
  if (!written.has_needs && written.stage != model::kNoStage && written.stage > 0) {
    outcome = JudgeStages(run, written.stage);
  }
  for (const model::Need& need : written.needs) {
    Judge(run, spec, need, outcome);
  }
  return outcome;
}

expr::StatusView ViewOf(const RunState& run, const NeedsOutcome& needs) {
  return {.all_well = needs.verdict == NeedsVerdict::kMet,
          .any_failed = needs.any_failed,
          .cancelled = run.is_ending()};
}

Status WorstOf(std::span<const std::shared_ptr<const model::JobResult>> results) {
  std::array<bool, model::kStatusCount> seen{};
  for (const std::shared_ptr<const model::JobResult>& result : results) {
    CHECK(result != nullptr);
    seen[static_cast<std::size_t>(result->status)] = true;
  }
  constexpr std::array kWorstFirst = {Status::kFailed, Status::kTimedOut, Status::kCancelled,
                                      Status::kWarned, Status::kSucceeded};
  for (const Status status : kWorstFirst) {
    if (seen[static_cast<std::size_t>(status)]) {
      return status;
    }
  }
  return Status::kSkipped;
}

std::vector<model::NeedResult> NeedResultsOf(const RunState& run, SpecIndex spec) {
  const model::JobSpec& written = run.plan().specs[AsIndex(spec)];
  std::vector<model::NeedResult> results;
  results.reserve(written.needs.size());
  for (const model::Need& need : written.needs) {
    model::NeedResult& result = results.emplace_back();
    result.spec = need.spec;
    if (need.cells != 0) {
      for (const model::JobIndex cell : model::RareOf(written).need_cells[need.cells - 1U]) {
        result.results.push_back(run.job(cell).result);
      }
    } else {
      const graph::Cells cells = run.graph().CellsOf(need.spec);
      result.results.reserve(cells.count);
      for (std::uint32_t i = 0; i < cells.count; ++i) {
        result.results.push_back(run.job(cells.At(i)).result);
      }
    }
    result.status = WorstOf(result.results);
  }
  return results;
}

}  // namespace engine::core
