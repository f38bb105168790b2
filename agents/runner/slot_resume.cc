// SPDX-License-Identifier: Apache-2.0
// A slot that goes on with an attempt of an earlier process.
#include <algorithm>
#include <utility>

#include "agents/runner/replay.h"
#include "agents/runner/slot.h"
#include "agents/runner/slot_handlers.h"
#include "engine/base/check.h"

namespace agents::runner {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

void Slot::Resume(model::Assignment assignment, const std::vector<AttemptRecord>& records,
                  std::uint64_t starts) {
  Take(std::move(assignment), TimeOf(std::get<AttemptBegun>(records.at(0)).at));
  phase_ = Phase::kPreparing;
  const auto ready = std::ranges::find_if(records, [](const AttemptRecord& record) {
    return std::holds_alternative<WorkspaceReadied>(record);
  });
  if (ready == records.end()) {
    // No step had begun, so the attempt simply begins here.
    for (const AttemptRecord& record : records) {
      if (const auto* stop = std::get_if<StopCame>(&record)) {
        stop->kill ? attempt_->Kill(stop->reason) : attempt_->Stop(stop->reason);
      }
    }
    return PrepareWorkspace(true);
  }
  HoldTree();
  const ports::SandboxFacts facts = sandbox_->facts();
  workspace_view_ = facts.workspace_view.empty() ? facts.workspace_path : facts.workspace_view;
  place_ = {.workspace = facts.workspace_path,
            .script_path = scratch_.script_path(),
            .background_folder = scratch_.background_folder(),
            .environment = &environment_};
  attempt_->SetUp(place_);
  const auto& readied = std::get<WorkspaceReadied>(*ready);
  attempt_->OutputsFetched(readied.fetched);
  attempt_->ReuseLookedUp(readied.reuse);
  attempt_->CachesRestored(readied.caches);
  phase_ = Phase::kStepping;
  GoOn({ready + 1, records.end()}, starts);
}

namespace {

bool IsRunning(const Replayed& replayed, model::StepIndex step) {
  return (replayed.running && replayed.running->step == step) ||
         std::ranges::any_of(replayed.background, [&](const RunningBackground& running) {
           return running.start.step == step;
         });
}

}  // namespace

void Slot::GoOn(const std::vector<AttemptRecord>& records, std::uint64_t starts) {
  base::StatusOr<Replayed> replayed = Replay(*attempt_, records);
  HoldReports();
  // The last one may not have reached the sandbox.
  const bool lacks_last = replayed.ok() && starts + 1 == replayed->starts;
  const bool fits =
      replayed.ok() &&
      (starts == replayed->starts || (lacks_last && IsRunning(*replayed, *replayed->last_started)));
  if (!fits) {
    left_over_ = true;
    return Fail(model::ReasonCode::kWorkerLost,
                replayed.ok() ? base::Internal("its sandbox knows other commands than its records")
                              : replayed.status(),
                true);
  }
  left_over_ = replayed->left_over;
  if (replayed->budget_ends_at) {
    Wake(budget_deadline_, TimeOf(*replayed->budget_ends_at));
  }
  for (RunningBackground& beside : replayed->background) {
    if (lacks_last && beside.start.step == *replayed->last_started) {
      RunBeside(std::move(beside.start), beside.lane);
    } else if (const base::Status status = GoOnBeside(beside); !status.ok()) {
      return Fail(model::ReasonCode::kWorkerLost, status, true);
    }
  }
  if (replayed->running) {
    return GoOnWith(*std::move(replayed->running), TimeOf(replayed->running_since), !lacks_last);
  }
  files_.Collect();  // what it tells stands in the records
  if (replayed->ending) {
    steps_over_ = true;
    return StopBackground(Cut::kStepsEnded, grace_);
  }
  if (replayed->closing) {
    return Close(*std::move(replayed->closing));
  }
  if (attempt_->is_stopped() && budget_deadline_ == kNever) {
    SetBudget(Now() + attempt_->assignment().finally_budget);
  }
  Perform(std::move(replayed->next));
}

void Slot::GoOnWith(StartCommand running, SteadyTime since, bool was_started) {
  step_ = running.step;
  if (!was_started) {
    return StartStep(std::move(running), true);
  }
  cut_ = Cut::kNone;
  command_runs_ = true;
  if (running.timeout.count() > 0) {
    Wake(step_deadline_, since + running.timeout);
  }
  TellStarted(number_, step_);
  sandbox_->Await(ports::kOwnLane,
                  Guarded([this, direct = running.direct](const ports::CommandExit& exit) {
                    CommandEnded(exit, direct);
                  }));
  if (attempt_->is_stopped()) {
    EndCommand(Cut::kStopped, grace_);
  }
}

// The mounted tree must not be removed under the workspace.
void Slot::HoldTree() {
  const std::optional<ports::TreeRequest> request = TreeOf(attempt_->assignment());
  if (!request.has_value() || !attempt_->spec().rare->checkout.enabled ||
      shop_.options->git == nullptr) {
    return;
  }
  TakeTree(*request, [](const base::StatusOr<std::string>&) {});
}

void Slot::Scrub() {
  CHECK(phase_ == Phase::kIdle);
  phase_ = Phase::kClearing;
  sandbox_->KillAll(Guarded([this] {
    sandbox_->ForgetKept();
    Sweep();
    ReturnLanes();
    phase_ = Phase::kIdle;
    shop_.freed(number_);
  }));
}

}  // namespace agents::runner
