// SPDX-License-Identifier: Apache-2.0
// What a slot does with steps that run beside the others.
#include <csignal>
#include <filesystem>
#include <system_error>
#include <utility>

#include "agents/runner/slot.h"
#include "agents/runner/slot_handlers.h"

namespace agents::runner {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

namespace {

base::Status MakeFolders(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  return error ? base::FromErrno(error.value(), "make folder " + folder) : base::OkStatus();
}

}  // namespace

void Slot::StartBackground(StartCommand start) {
  const std::optional<ports::Lane> lane = shop_.lanes.Take();
  if (lane.has_value()) {
    lanes_.insert(*lane);
    Keep(StepStarting{start.step, MicrosOf(Now()), *lane});
  }
  RunBeside(std::move(start), lane);
  Advance();
}

/// `lane`: taken for it; nothing: there was none.
void Slot::RunBeside(StartCommand start, std::optional<ports::Lane> lane) {
  BackgroundStep& step = background_[start.step];
  step.lane = lane.value_or(ports::kOwnLane);
  left_over_ = true;  // the lane itself is
  const base::Status status = lane.has_value()
                                  ? Begin(step, start)
                                  : base::ResourceExhausted("too many steps run in the background");
  if (!status.ok()) {
    ports::CommandExit exit;
    exit.started = status;
    BackgroundEnded(start.step, exit);
  }
}

base::Status Slot::Begin(BackgroundStep& step, StartCommand& start) {
  const std::string folder = BackgroundFolder(place_.background_folder, start.step);
  RETURN_IF_ERROR(MakeFolders(folder));
  RETURN_IF_ERROR(step.files.Open(folder));
  if (start.script.has_value()) {
    RETURN_IF_ERROR(WriteScript(start.script_path, *start.script));
  }
  if (start.timeout.count() > 0) {
    Wake(step.deadline, Now() + start.timeout);
  }
  start.command.lane = step.lane;
  TellStarted(step.lane, start.step);
  sandbox_->Start(start.command, BackgroundHandler(start.step));
  return base::OkStatus();
}

ports::Sandbox::ExitHandler Slot::BackgroundHandler(model::StepIndex index) {
  return Guarded([this, index](const ports::CommandExit& exit) { BackgroundEnded(index, exit); });
}

void Slot::BackgroundEnded(model::StepIndex index, const ports::CommandExit& exit) {
  const auto found = background_.find(index);
  if (found == background_.end()) {
    return;  // The attempt was given up meanwhile.
  }
  BackgroundStep& step = found->second;
  // Its lane died, or all of the sandbox; the latter is found out with the slot's own command.
  const bool lost = exit.started.code() == absl::StatusCode::kUnavailable;
  const Cut cut = lost ? Cut::kSandboxDied : step.cut;
  if (shop_.options->on_step_ended && step.lane != ports::kOwnLane) {
    shop_.options->on_step_ended(step.lane, LogOf(index), lost ? nullptr : &exit.log);
  }
  StepNotes notes = step.files.Read();
  Keep(StepDone{index, exit, notes, cut});
  background_.erase(found);
  attempt_->BackgroundEnded(index, exit, std::move(notes), cut);
  KeepSummary(index, attempt_->summary_of_last_step());
  HoldReports();
  if (watch_ != nullptr && attempt_->has_failed()) {
    // A service: those behind it never begin.
    EndWatch();
    return Advance();
  }
  if (steps_over_ && background_.empty()) {
    if (attempt_->is_stopped() && budget_deadline_ == kNever) {
      SetBudget(Now() + attempt_->assignment().finally_budget);
    }
    CloseSteps();
  }
}

// The other steps have ended: those beside them are stopped, and waited for.
void Slot::EndBackground() {
  if (background_.empty()) {
    return CloseSteps();
  }
  Keep(StepsOverCame{});
  steps_over_ = true;
  StopBackground(Cut::kStepsEnded, grace_);
}

void Slot::CloseSteps() {
  steps_over_ = false;
  Close(attempt_->EndSteps());
}

void Slot::StopBackground(Cut cut, base::Duration grace) {
  for (auto& [index, step] : background_) {
    StopBackground(step, cut, grace);
  }
}

void Slot::StopBackground(BackgroundStep& step, Cut cut, base::Duration grace) {
  step.cut = step.cut == Cut::kNone || cut == Cut::kStopped ? cut : step.cut;
  step.deadline = kNever;
  if (grace.count() == 0) {
    step.kill_at = kNever;
    sandbox_->Signal(step.lane, SIGKILL);
  } else if (step.kill_at == kNever) {
    sandbox_->Signal(step.lane, SIGTERM);
    Wake(step.kill_at, Now() + grace);
  }
}

void Slot::OnBackgroundDeadline(SteadyTime now) {
  for (auto& [index, step] : background_) {
    if (step.kill_at <= now) {
      StopBackground(step, step.cut, base::Duration(0));
    }
    if (step.deadline <= now) {
      StopBackground(step, Cut::kStepTimeout, grace_);
    }
  }
}

// ---- of an earlier process

void Slot::ReserveLanes(const std::vector<AttemptRecord>& records) {
  for (const AttemptRecord& record : records) {
    const auto* starting = std::get_if<StepStarting>(&record);
    if (starting != nullptr && starting->lane != ports::kOwnLane) {
      shop_.lanes.Reserve(starting->lane);
      lanes_.insert(starting->lane);
    }
  }
}

void Slot::ReturnLanes() {
  for (const ports::Lane lane : lanes_) {
    shop_.lanes.Return(lane);
  }
  if (!lanes_.empty()) {
    RemoveTree(scratch_.background_folder());
  }
  lanes_.clear();
}

base::Status Slot::GoOnBeside(const RunningBackground& running) {
  const model::StepIndex index = running.start.step;
  BackgroundStep& step = background_[index];
  step.lane = running.lane;
  left_over_ = true;
  RETURN_IF_ERROR(
      step.files.Open(BackgroundFolder(place_.background_folder, index), /*adopt=*/true));
  if (running.start.timeout.count() > 0) {
    Wake(step.deadline, TimeOf(running.since) + running.start.timeout);
  }
  TellStarted(step.lane, index);
  sandbox_->Await(step.lane, BackgroundHandler(index));
  if (attempt_->is_stopped()) {
    StopBackground(step, Cut::kStopped, grace_);
  }
  return base::OkStatus();
}

}  // namespace agents::runner
