// SPDX-License-Identifier: Apache-2.0
// What a step's command gets: its environment, what is to be run, where.
#include <utility>

#include <fmt/format.h>

#include "agents/runner/attempt.h"
#include "agents/runner/background.h"
#include "agents/runner/shell.h"
#include "engine/base/check.h"
#include "engine/model/variable.h"

namespace agents::runner {

namespace base = engine::base;
namespace expr = engine::expr;
namespace model = engine::model;

namespace {

// What the system says of it names no variable.
base::Status CheckEnv(const std::vector<std::string>& env) {
  for (const std::string& each : env) {
    if (each.size() >= model::kVariableBytesMax) {
      return base::InvalidArgument(
          "the variable {} has {} bytes, and no program takes more than {}: put the value into "
          "`run`, or into a file",
          each.substr(0, each.find('=')), each.size(), model::kVariableBytesMax - 1);
    }
  }
  return base::OkStatus();
}

}  // namespace

base::StatusOr<StartCommand> Attempt::Prepare(std::size_t index, bool allow_direct) {
  const model::StepSpec& step = spec_->step(index);
  StartCommand start;
  start.step = model::StepIndex(static_cast<std::uint32_t>(index));
  start.timeout = step.timeout;
  start.background = step.background;
  start.script_path = step.background
                          ? BackgroundFolder(place_.background_folder, start.step) + "/script"
                          : place_.script_path;
  const std::uint64_t limit = spec_->rare->log_limit;
  start.command.log_limit = limit != 0 ? limit : model::DefaultSettings().log_limit;
  const model::AttemptKey& key = assignment_.lease.key;
  start.command.log_tag = {
      .job = key.job.value(), .attempt = key.attempt, .step = start.step.value()};
  RETURN_IF_ERROR(FillEnv(index, start));
  RETURN_IF_ERROR(CheckEnv(start.command.env));
  RETURN_IF_ERROR(FillArgv(index, allow_direct, start));
  ASSIGN_OR_RETURN(std::string workdir, Render(spec_->steps[index].workdir, step.workdir.text));
  if (workdir.starts_with('/')) {
    start.command.workdir = std::move(workdir);
  } else {
    start.command.workdir = place_.workspace;
    if (!workdir.empty()) {
      start.command.workdir += "/" + workdir;
    }
  }
  start.command.preface = preface_;
  // Last: what was rendered has read secrets.
  start.command.masks = secrets_.All();
  return start;
}

base::Status Attempt::FillEnv(std::size_t index, StartCommand& start) {
  const model::StepSpec& step = spec_->step(index);
  if (step.env.empty() && !step.effects_once && !step.background) {
    scope_.SetStepEnv({});
    start.command.env = environment_.block();
    return base::OkStatus();
  }
  Environment environment = environment_;
  expr::Object own;
  if (step.background) {
    SetStepFiles(BackgroundFolder(place_.background_folder, start.step), environment);
  }
  if (step.effects_once) {
    // The same in every attempt, and nowhere else.
    const model::AttemptKey& key = assignment_.lease.key;
    environment.Set("DAYFLY_EFFECT_TOKEN",
                    fmt::format("{}-{}-{}", ToText(key.run), key.job.value(), index));
  }
  for (std::size_t i = 0; i < step.env.size(); ++i) {
    ASSIGN_OR_RETURN(std::string value, Render(spec_->steps[index].env[i], step.env[i].value.text));
    if (value.find('\0') != std::string::npos) {
      return base::InvalidArgument("env.{} holds a NUL byte", step.env[i].name);
    }
    environment.Set(step.env[i].name, value);
    own.emplace_back(step.env[i].name, expr::Value::String(std::move(value)));
  }
  scope_.SetStepEnv(std::move(own));
  start.command.env = environment.block();
  return base::OkStatus();
}

base::Status Attempt::FillArgv(std::size_t index, bool allow_direct, StartCommand& start) {
  const model::StepSpec& step = spec_->step(index);
  const bool checks = assignment_.effect_may_be_done && !step.effect_check.text.empty();
  // Should it go through the shell after all, much may have happened since it was prepared.
  if (allow_direct && !step.argv.empty() && !checks && !step.background) {
    start.direct = true;
    start.command.argv = step.argv;
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(std::string script, Render(spec_->steps[index].run, step.run.text));
  if (script.find('\0') != std::string::npos) {
    return base::InvalidArgument("the script holds a NUL byte");
  }
  ASSIGN_OR_RETURN(ShellCall call, PlanShellCall(step.shell, script, start.script_path));
  start.command.argv = std::move(call.argv);
  if (call.needs_file) {
    start.script = std::move(script);
  }
  if (checks) {
    ASSIGN_OR_RETURN(const std::string check,
                     Render(spec_->steps[index].effect_check, step.effect_check.text));
    start.command.argv = BehindCheck(check, std::move(start.command.argv));
  }
  return base::OkStatus();
}

StartCommand Attempt::ThroughShell() {
  CHECK(running_);
  base::StatusOr<StartCommand> start = Prepare(next_, false);
  CHECK(start.ok());  // a direct step holds no expression but in `env`, which evaluated before
  return *std::move(start);
}

// ---- what a step's end means

}  // namespace agents::runner
