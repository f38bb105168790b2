// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/attempt.h"

#include <utility>

#include <fmt/format.h>

#include "agents/runner/attempt_reasons.h"
#include "agents/runner/background.h"
#include "engine/base/check.h"

namespace agents::runner {

namespace base = engine::base;
namespace expr = engine::expr;
namespace model = engine::model;
namespace ports = engine::ports;
using model::ReasonCode;
using model::Status;

Attempt::Attempt(model::Assignment assignment, CompiledSpecRef spec, SecretValues& secrets)
    : assignment_(std::move(assignment)),
      spec_(std::move(spec)),
      secrets_(secrets),
      scope_(assignment_, secrets) {}

StepStatusView Attempt::View() const {
  const bool timed_out = stop_.has_value() && IsTimeout(*stop_);
  return {.failed = failure_.has_value() || timed_out,
          .stopped = stop_.has_value(),
          .cancelled = assignment_.run_cancelled || (stop_.has_value() && !timed_out)};
}

void Attempt::SetUp(const SlotPlace& place) {
  place_ = place;
  environment_ = *place.environment;
  const model::RunContext& context = *assignment_.context;
  const model::AttemptKey& key = assignment_.lease.key;
  environment_.Set("DAYFLY_WORKSPACE", place.workspace);
  environment_.Set("DAYFLY_RUN", ToText(key.run));
  environment_.Set("DAYFLY_PIPELINE", assignment_.plan->name);
  environment_.Set("DAYFLY_EVENT", context.event);
  environment_.Set("DAYFLY_COMMIT", context.commit);
  environment_.Set("DAYFLY_BRANCH", context.branch);
  environment_.Set("DAYFLY_TAG", context.tag);
  environment_.Set("DAYFLY_JOB", model::JobName(*assignment_.plan, assignment_.job));
  environment_.Set("DAYFLY_ATTEMPT", std::to_string(key.attempt));
  base::Status declared =
      spec_->error.empty() ? DeclareAll() : base::InvalidArgument("{}", spec_->error);
  if (!declared.ok()) {
    SetUpFailed(BadStep(declared), false);
  }
}

void Attempt::Declare(std::string_view name, const std::string& value) {
  environment_.Set(name, value);
  scope_.SetEnv(name, value);
}

// The document's, then `--env-file`, then the job's; a later one wins.
base::Status Attempt::DeclareAll() {
  if (assignment_.run_env != nullptr) {
    for (const model::NamedValue& variable : *assignment_.run_env) {
      Declare(variable.name, TextOf(variable.value));
    }
  }
  for (const model::NamedValue& variable : assignment_.context->extra_env) {
    Declare(variable.name, TextOf(variable.value));
  }
  const std::vector<model::EnvVar>& env = spec_->spec->env;
  for (std::size_t i = 0; i < env.size(); ++i) {
    const std::string* evaluated = nullptr;
    for (const model::NamedValue& variable : assignment_.job_env) {
      evaluated = variable.name == env[i].name ? &variable.value : evaluated;
    }
    if (evaluated != nullptr && env[i].value.has_expression) {
      Declare(env[i].name, TextOf(*evaluated));
      continue;
    }
    ASSIGN_OR_RETURN(const std::string value, Render(spec_->env[i], env[i].value.text));
    Declare(env[i].name, value);
  }
  return base::OkStatus();
}

void Attempt::SetUpFailed(model::Reason reason, bool infra) {
  infra_ = infra;
  Fail({.status = Status::kFailed, .reason = std::move(reason)});
  steps_over_ = true;
  next_ = spec_->steps.size();
}

base::StatusOr<std::string> Attempt::Render(const MaybeTemplate& text, const std::string& plain) {
  if (!text.has_value()) {
    return plain;
  }
  RETURN_IF_ERROR(scope_.ReadSecrets(text->References()));
  expr::Result<std::string> rendered = text->Render(scope_);
  if (!rendered.ok()) {
    return AsStatus(rendered.error());
  }
  return std::move(rendered).value();
}

// ---- which step comes next

NextAction Attempt::Next() {
  CHECK(!running_);
  scope_.SetStatus(View());
  while (true) {
    if (AwaitsServices()) {
      if (std::optional<AwaitServices> await = PlanServices()) {
        return *std::move(await);
      }
    }
    if (!steps_over_ && IsFinally(next_)) {
      return StepsOver{};
    }
    if (next_ >= spec_->steps.size()) {
      return AllOver{};
    }
    base::StatusOr<std::optional<model::Reason>> skip = WhySkip(next_);
    if (skip.ok() && skip->has_value()) {
      Skip(next_++, **std::move(skip));
      continue;
    }
    base::StatusOr<StartCommand> start = skip.ok() ? Prepare(next_, true) : skip.status();
    if (start.ok()) {
      Begun(next_);
      return *std::move(start);
    }
    if (std::optional<std::vector<std::string>> wanted = scope_.TakeWantedHash()) {
      return WantHash{*std::move(wanted)};
    }
    reports_.emplace_back(
        model::ReportStepStarted{.step = model::StepIndex(static_cast<std::uint32_t>(next_))});
    // Nobody could be asked for a secret: not the author's failure, and it may go well elsewhere.
    const bool out_of_reach = start.status().code() == absl::StatusCode::kUnavailable;
    infra_ = infra_ || out_of_reach;
    nothing_more_ = nothing_more_ || out_of_reach;
    CloseStep(next_, {.status = Status::kFailed, .reason = BadStep(start.status())}, {}, {});
    ++next_;
  }
}

void Attempt::Begun(std::size_t index) {
  const model::StepIndex step(static_cast<std::uint32_t>(index));
  reports_.emplace_back(model::ReportStepStarted{.step = step});
  if (!spec_->step(index).background) {
    running_ = true;
    return;
  }
  background_.insert(step);
  ++next_;
  ForgetStep();
}

/// What belonged to the step that was prepared last.
void Attempt::ForgetStep() {
  preface_.clear();
  scope_.ForgetHashes();
  scope_.SetStepEnv({});
}

void Attempt::GiveHash(const std::vector<std::string>& patterns, base::StatusOr<std::string> hash) {
  if (hash.ok()) {
    scope_.SetHash(patterns, *std::move(hash));
    return;
  }
  reports_.emplace_back(
      model::ReportStepStarted{.step = model::StepIndex(static_cast<std::uint32_t>(next_))});
  CloseStep(
      next_,
      {.status = Status::kFailed, .reason = BadStep(base::Annotate(hash.status(), "hashFiles"))},
      {}, {});
  ++next_;
}

base::StatusOr<std::optional<model::Reason>> Attempt::WhySkip(std::size_t index) {
  const model::StepSpec& step = spec_->step(index);
  const CompiledStep& compiled = spec_->steps[index];
  if (nothing_more_) {
    return stop_.has_value() ? *stop_ : ReasonOf(ReasonCode::kRunEnding, "");
  }
  if (reuse_.result.has_value()) {
    return ReasonOf(ReasonCode::kReused, reuse_.result->run);
  }
  if (!compiled.error.empty()) {
    return base::InvalidArgument("{}", compiled.error);
  }
  const StepStatusView view = View();
  const bool well = !view.failed && !view.stopped;
  // A `finally` step runs whatever happened, unless its own condition says no.
  if (!IsFinally(index) && !step.condition.decides_alone && !well) {
    return stop_.has_value()
               ? *stop_
               : ReasonOf(ReasonCode::kConditionFalse,
                          step.condition.text.empty() ? "success()" : step.condition.text);
  }
  if (!compiled.condition.has_value()) {
    return std::optional<model::Reason>();
  }
  RETURN_IF_ERROR(scope_.ReadSecrets(compiled.condition->References()));
  const expr::Result<expr::Value> value = compiled.condition->Evaluate(scope_);
  if (!value.ok()) {
    return AsStatus(value.error());
  }
  return value.value().Truthy() ? std::optional<model::Reason>()
                                : ReasonOf(ReasonCode::kConditionFalse, step.condition.text);
}

void Attempt::Skip(std::size_t index, model::Reason reason) {
  const model::StepSpec& step = spec_->step(index);
  if (!step.id.empty()) {
    scope_.AddStep(step.id, Status::kSkipped, Status::kSkipped, {});
  }
  reports_.emplace_back(
      model::ReportStepEnded{.step = model::StepIndex(static_cast<std::uint32_t>(index)),
                             .status = Status::kSkipped,
                             .reason = std::move(reason),
                             .took = {},
                             .log = {}});
}

Attempt::Outcome Attempt::Judge(const ports::CommandExit& exit, Cut cut) {
  switch (cut) {
    case Cut::kSandboxDied:
      return {Status::kFailed, ReasonOf(ReasonCode::kWorkerLost, exit.started)};
    case Cut::kStepTimeout:
      return {Status::kTimedOut, ReasonOf(ReasonCode::kStepTimeout, "")};
    case Cut::kStopped:
      return {stop_.has_value() && IsTimeout(*stop_) ? Status::kTimedOut : Status::kCancelled,
              stop_.value_or(model::Reason{})};
    case Cut::kBudget:
      return {Status::kTimedOut,
              ReasonOf(ReasonCode::kFinallyFailed, "its time budget has passed")};
    case Cut::kStepsEnded:
      // However it took it: nothing more was expected of it. One that had ended before is judged
      // like any other.
      if (exit.signalled) {
        return {Status::kSucceeded, ReasonOf(ReasonCode::kStepsEnded, "")};
      }
      break;
    case Cut::kNone:
      break;
  }
  if (!exit.started.ok()) {
    // What a shell would give, too.
    const int code = exit.started.code() == absl::StatusCode::kNotFound ? 127 : 126;
    return {Status::kFailed,
            ReasonOf(ReasonCode::kExitCode, std::string(base::Message(exit.started)), code)};
  }
  if (exit.oom_killed) {
    return {Status::kFailed, ReasonOf(ReasonCode::kOutOfMemory, "")};
  }
  if (exit.signal != 0) {
    return {Status::kFailed, ReasonOf(ReasonCode::kSignal, "", exit.signal)};
  }
  if (exit.exit_code != 0) {
    return {Status::kFailed, ReasonOf(ReasonCode::kExitCode, "", exit.exit_code)};
  }
  return {};
}

void Attempt::StepEnded(const ports::CommandExit& exit, StepNotes notes, Cut cut) {
  CHECK(running_);
  running_ = false;
  ForgetStep();
  Conclude(next_++, exit, std::move(notes), cut);
}

void Attempt::BackgroundEnded(model::StepIndex step, const ports::CommandExit& exit,
                              StepNotes notes, Cut cut) {
  CHECK(!steps_over_ && background_.erase(step) == 1);
  Conclude(base::AsIndex(step), exit, std::move(notes), cut);
}

void Attempt::Conclude(std::size_t index, const ports::CommandExit& exit, StepNotes notes,
                       Cut cut) {
  TakeAnnotations(index, exit.annotations);
  const bool is_service = index < spec_->services.size();
  Outcome outcome = is_service ? JudgeService(index, exit, cut) : Judge(exit, cut);
  if (!notes.empty()) {
    const base::Status absorbed = AbsorbNotes(notes);
    if (!absorbed.ok() && outcome.status == Status::kSucceeded) {
      const bool exposed = absorbed.code() == absl::StatusCode::kPermissionDenied;
      outcome = {
          Status::kFailed,
          ReasonOf(exposed ? ReasonCode::kSecretExposed : ReasonCode::kBadStepFile, absorbed)};
    }
  }
  if (cut == Cut::kSandboxDied) {
    infra_ = true;
    nothing_more_ = true;
  }
  CloseStep(index, std::move(outcome), exit, notes.outputs);
}

base::Status Attempt::AbsorbNotes(StepNotes& notes) {
  for (std::string& mask : notes.masks) {
    secrets_.AddMask(std::move(mask));
  }
  base::Status first = notes.problem;
  const auto note = [&](const base::Status& status) {
    first = first.ok() ? status : first;
    return status.ok();
  };
  NameValues outputs;
  for (auto& [name, value] : notes.outputs) {
    if (note(CheckExposure("output '" + name + "'", value))) {
      outputs.emplace_back(std::move(name), std::move(value));
    }
  }
  notes.outputs = std::move(outputs);
  for (const auto& [name, value] : notes.env) {
    if (value.find('\0') == std::string::npos) {
      Declare(name, value);
    } else {
      note(base::InvalidArgument("$DAYFLY_ENV: '{}' holds a NUL byte", name));
    }
  }
  if (note(CheckExposure("the summary", notes.summary))) {
    summary_ += notes.summary;
  }
  return first;
}

base::Status Attempt::CheckExposure(std::string_view what, std::string_view text) const {
  const std::string found = secrets_.FoundIn(text);
  return found.empty() ? base::OkStatus()
                       : base::PermissionDenied("{} holds the value of {}", what, found);
}

void Attempt::CloseStep(std::size_t index, Outcome outcome, const ports::CommandExit& exit,
                        const NameValues& outputs) {
  const model::StepSpec& step = spec_->step(index);
  const Status happened = outcome.status;
  const bool is_failure =
      happened == Status::kFailed ||
      (happened == Status::kTimedOut && outcome.reason.code == ReasonCode::kStepTimeout);
  const bool tolerated = is_failure && step.continue_on_error && !infra_;
  if (tolerated) {
    outcome.status = Status::kWarned;
  }
  if (!step.id.empty()) {
    scope_.AddStep(step.id, happened, outcome.status, outputs);
  }
  reports_.emplace_back(
      model::ReportStepEnded{.step = model::StepIndex(static_cast<std::uint32_t>(index)),
                             .status = outcome.status,
                             .reason = outcome.reason,
                             .took = exit.took,
                             .log = exit.log});
  if (outcome.status == Status::kSucceeded || tolerated) {
    return;
  }
  if (!IsFinally(index)) {
    Fail(std::move(outcome));
  } else if (!finally_failure_.has_value()) {
    finally_failure_ = ReasonOf(ReasonCode::kFinallyFailed, Describe(outcome.reason));
  }
  scope_.SetStatus(View());
}

void Attempt::Fail(Outcome outcome) {
  if (!failure_.has_value()) {
    failure_ = std::move(outcome);
  }
}

void Attempt::Stop(const model::Reason& reason) {
  if (!stop_.has_value()) {
    stop_ = reason;
  }
}

void Attempt::Kill(const model::Reason& reason) {
  stop_ = reason;
  nothing_more_ = true;
}

void Attempt::EndBudget() {
  nothing_more_ = true;
  if (!finally_failure_.has_value()) {
    finally_failure_ = ReasonOf(ReasonCode::kFinallyFailed, "its time budget has passed");
  }
}

}  // namespace agents::runner
