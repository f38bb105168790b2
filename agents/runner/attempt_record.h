// SPDX-License-Identifier: Apache-2.0
// What happened to an attempt so far, as records that its sandbox keeps in memory: given to an
// `Attempt` again, in order, they bring it to where it was. So an agent that was killed goes on
// with the step that still runs. They hold outputs, variables and masks, among them secrets: never
// write them to a disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agents/runner/attempt.h"
#include "agents/runner/steady_time.h"
#include "agents/runner/step_files.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/model/run_context.h"
#include "engine/model/status.h"
#include "engine/ports/sandbox.h"

namespace agents::runner {

/// The first record: whose the others are.
struct AttemptBegun {
  engine::model::AttemptKey key;
  SteadyMicros at = 0;
};
/// Workspace, artifacts, outputs of needs and caches are there.
struct WorkspaceReadied {
  SpilledTexts fetched;
  std::vector<CacheRestored> caches;
  ReuseAnswer reuse;
};
/// The command is about to be started. Twice for a step that goes through the shell after all.
struct StepStarting {
  engine::model::StepIndex step;
  SteadyMicros at = 0;
  engine::ports::Lane lane = engine::ports::kOwnLane;
};
struct StepDone {
  engine::model::StepIndex step;
  engine::ports::CommandExit exit;
  StepNotes notes;
  Cut cut = Cut::kNone;
};
struct HashMade {
  std::vector<std::string> patterns;
  engine::base::Status status;
  std::string hash;
};
struct StopCame {
  engine::model::Reason reason;
  bool kill = false;
};
/// What follows has to end by then; see `Attempt::EndBudget`.
struct BudgetSet {
  SteadyMicros ends_at = 0;
};
struct BudgetEnded {};
struct UploadsMade {
  engine::base::Status spilled;
  engine::base::Status status;
  std::vector<engine::model::Artifact> artifacts;
  engine::model::JobRemarks remarks;
};
/// Only background steps were left, and were told to end.
struct StepsOverCame {};
struct ServicesCameUp {};
struct ServiceWasLate {
  engine::model::StepIndex step;
  std::string why;
};
using AttemptRecord = std::variant<AttemptBegun, WorkspaceReadied, StepStarting, StepDone, HashMade,
                                   StopCame, BudgetSet, BudgetEnded, UploadsMade, StepsOverCame,
                                   ServicesCameUp, ServiceWasLate>;

std::string EncodeRecord(const AttemptRecord& record);
/// `FailedPrecondition`: another version of this program wrote it; `DataLoss`: it is damaged.
engine::base::StatusOr<AttemptRecord> DecodeRecord(std::string_view bytes);
/// All of one attempt; the first is `AttemptBegun`.
engine::base::StatusOr<std::vector<AttemptRecord>> DecodeRecords(
    const std::vector<std::string>& records);

/// A job's result as it is kept for later runs: outputs among it, but no variables or masks. Kept
/// and read on machines of one kind only. `DataLoss`: another version wrote it, or it is damaged.
std::string EncodeEarlier(const EarlierResult& result);
engine::base::StatusOr<EarlierResult> DecodeEarlier(std::string_view bytes);

}  // namespace agents::runner
