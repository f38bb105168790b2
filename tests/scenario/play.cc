// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/play.h"

#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "dsl/compile.h"
#include "dsl/render.h"
#include "dsl/source_loader.h"

namespace tests::scenario {
namespace {

namespace model = engine::model;

constexpr std::string_view kPipelineMark = "--- pipeline\n";
constexpr std::string_view kPlayMark = "--- play\n";

struct Parts {
  std::string head;  ///< prose and pipeline, with both marks
  std::string pipeline;
  std::vector<std::string> commands;
};

// Commands, and comments (`#`), are kept; everything else is written anew.
std::optional<Parts> Split(const std::string& file) {
  const std::size_t pipeline = file.find(kPipelineMark);
  const std::size_t play = file.find(kPlayMark);
  if (pipeline == std::string::npos || play == std::string::npos || play < pipeline) {
    return std::nullopt;
  }
  Parts parts;
  parts.head = file.substr(0, play + kPlayMark.size());
  const std::size_t yaml = pipeline + kPipelineMark.size();
  parts.pipeline = file.substr(yaml, play - yaml);
  std::istringstream lines(file.substr(play + kPlayMark.size()));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("> ") || line.starts_with("#")) {
      parts.commands.push_back(line);
    }
  }
  return parts;
}

}  // namespace

std::string Play(const std::string& file) {
  const std::optional<Parts> parts = Split(file);
  if (!parts.has_value()) {
    return "error: a scenario needs the lines `--- pipeline` and `--- play`\n";
  }
  dsl::MemorySourceLoader loader;
  loader.Add("pipeline.yml", parts->pipeline);
  const dsl::Compiled compiled = dsl::Compile("pipeline.yml", loader);
  std::string text = parts->head;
  if (compiled.plan == nullptr) {
    text += "error: " + dsl::RenderText(compiled.diagnostics);
    for (const std::string& command : parts->commands) {
      text += command + "\n";
    }
    return text;
  }
  Stage stage(compiled.plan);
  for (const std::string& command : parts->commands) {
    text += command + "\n";
    if (command.starts_with("> ")) {
      text += stage.Perform(command.substr(2));
    }
  }
  return text;
}

std::string Stage::Perform(const std::string& command) {
  out_.clear();
  Interpret(command);
  return std::move(out_);
}

// ---- what followed

void Stage::Step(const model::Input& input) {
  driver_.Step(input);
  ShowLast();
}

void Stage::ShowLast() {
  const engine::core::Decisions& decisions = driver_.last();
  for (const model::Fact& fact : decisions.facts) {
    ShowFact(fact);
  }
  for (const model::Effect& effect : decisions.effects) {
    ShowEffect(effect);
  }
  for (const model::Refusal& refusal : decisions.refused) {
    Line(fmt::format("refused {}: {}", ToText(refusal.code), refusal.message));
  }
}

// The first run is not named, the others by their number; jobs are named as people do.
void Stage::ShowFact(const model::Fact& fact) {
  std::string text = ToText(fact);
  const model::RunId id = model::RunOf(fact);
  const std::string run = fmt::format(" run={}", ToText(id));
  if (const std::size_t at = text.find(run); at != std::string::npos) {
    text.replace(at, run.size(),
                 id == support::CoreDriver::kRun ? "" : fmt::format(" run={}", id.value()));
  }
  if (const std::size_t at = text.find(" job="); at != std::string::npos) {
    const std::size_t number = at + 5;
    const std::size_t end = std::min(text.find(' ', number), text.size());
    const auto job = static_cast<std::uint32_t>(std::stoul(text.substr(number, end - number)));
    text.replace(number, end - number, NameOf(support::CoreDriver::kRun, model::JobIndex(job)));
  }
  const std::chrono::duration<double> elapsed = fact.at - began_;
  Line(fmt::format("{}s {}", elapsed.count(), text));
}

void Stage::ShowEffect(const model::Effect& effect) {
  if (const auto* stop = std::get_if<model::StopAttempt>(&effect)) {
    Line(fmt::format("-> {} {} attempt {} on worker {}: {}", stop->kill ? "kill" : "stop",
                     NameOf(stop->lease.key), stop->lease.key.attempt, stop->lease.worker.value(),
                     Describe(stop->reason)));
    return;
  }
  if (const auto* drain = std::get_if<model::DrainWorker>(&effect)) {
    Line(fmt::format("-> drain worker {}{}", drain->worker.value(),
                     drain->stop_attempts ? " and stop its attempts" : ""));
    return;
  }
  const model::Assignment& assignment = std::get<model::DispatchAttempt>(effect).assignment;
  std::string text =
      fmt::format("-> dispatch {} attempt {} to worker {}", NameOf(assignment.lease.key),
                  assignment.lease.key.attempt, assignment.lease.worker.value());
  for (const model::NeedResult& need : assignment.needs) {
    text += fmt::format(" {}={}", driver_.plan().specs[engine::base::AsIndex(need.spec)].name,
                        ToText(need.status));
  }
  for (const model::NamedValue& var : assignment.job_env) {
    text += fmt::format(" env.{}={}", var.name, var.value);
  }
  if (assignment.approval.has_value()) {
    text += fmt::format(" approved by {}", assignment.approval->by);
  }
  text += assignment.effect_may_be_done ? " (the effect may be done)" : "";
  Line(text + (assignment.run_cancelled ? " (the run is cancelled)" : ""));
}

std::string Stage::NameOf(model::RunId run, model::JobIndex job) const {
  const std::string name = model::JobName(driver_.plan(run), job);
  return run == support::CoreDriver::kRun ? name : fmt::format("{}:{}", run.value(), name);
}

void Stage::Line(std::string text) {
  out_ += text;
  out_ += '\n';
}

}  // namespace tests::scenario
