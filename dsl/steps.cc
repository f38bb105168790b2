// SPDX-License-Identifier: Apache-2.0
#include "dsl/steps.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "dsl/simple_command.h"
#include "dsl/values.h"

namespace dsl {
namespace {

using engine::model::StepSpec;

/// False when steps are missing: their template is not there.
bool Collect(NodeRef list, std::string_view what, std::vector<NodeRef>& nodes,
             Compilation& compilation) {
  if (!list) {
    return true;
  }
  if (list.is_scalar()) {
    nodes.push_back(list);
    return true;
  }
  bool is_whole = true;
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    const NodeRef item = list[i];
    if (item.is_scalar() || item.is_map()) {
      is_whole = ExpandStep(item, nodes, compilation) && is_whole;
      continue;
    }
    compilation.reporter
        .Error("wrong-type", item.place(),
               fmt::format("`{}` takes commands and maps, not {}", what,
                           item.is_null() ? "an empty value" : Describe(item.kind())))
        .hint = "for example `- make test` or `- run: make test`";
  }
  return is_whole;
}

/// Two steps that are both known by `id`.
void CheckId(NodeRef id, std::vector<std::pair<std::string_view, NodeRef>>& seen,
             Compilation& compilation) {
  if (!IsWord(id.text())) {
    compilation.reporter
        .Error("bad-name", id.place(), fmt::format("`{}` is no id for a step", id.text()))
        .hint = "an id has letters, digits, `_` and `-`, and begins with a letter or `_`";
    return;
  }
  for (const auto& [known, first] : seen) {
    if (known == id.text()) {
      Diagnostic& diagnostic =
          compilation.reporter.Error("duplicate-step-id", id.place(),
                                     fmt::format("two steps of this job have the id `{}`", known));
      diagnostic.related.push_back(Related(first.place(), "first here"));
      return;
    }
  }
  seen.emplace_back(id.text(), id);
}

bool UsesDefaultShell(const std::string& shell) {
  return shell.empty() || shell == "sh" || shell == "sh -e";
}

void ReadShell(NodeRef node, StepSpec& step, Compilation& compilation) {
  step.shell = ReadText(node, "shell", compilation.reporter).value_or("");
}

void ReadRun(NodeRef node, StepSpec& step, const JobNames& names, Compilation& compilation) {
  if (node.text().find_first_not_of(" \t\n") == std::string_view::npos) {
    compilation.reporter.Error("empty-value", node.place(), "a step needs a command to run");
    return;
  }
  step.run = ReadTemplate(node, Site::kStep, &names, compilation);
  if (!step.run.has_expression && UsesDefaultShell(step.shell)) {
    step.argv = SimpleCommand(step.run.text);
  }
}

/// A folder of the workspace: relative, not above it.
void ReadWorkdir(NodeRef node, StepSpec& step, const JobNames& names, Compilation& compilation) {
  if (!node) {
    return;
  }
  step.workdir = ReadTemplate(node, Site::kStep, &names, compilation);
  if (const auto fault = PathFault(node.text()); fault && !step.workdir.has_expression) {
    compilation.reporter.Error("bad-path", node.place(), fmt::format("`workdir` {}", *fault));
  }
}

void ReadEffects(const Fields& fields, StepSpec& step, const JobNames& names,
                 Compilation& compilation) {
  static constexpr std::array<std::string_view, 1> kWords = {"once"};
  const NodeRef effects = fields.Get("effects");
  step.effects_once = effects && ReadWord(effects, "effects", kWords, compilation.reporter);
  const NodeRef check = fields.Get("effect_check");
  if (!check) {
    return;
  }
  if (fields.Lacks("effects")) {
    compilation.reporter
        .Error("conflicting-keys", check.place(), "`effect_check` is for a step of `effects: once`")
        .hint = "add `effects: once`";
    return;
  }
  if (check.text().find_first_not_of(" \t\n") == std::string_view::npos) {
    compilation.reporter.Error("empty-value", check.place(), "`effect_check` needs a command");
    return;
  }
  step.effect_check = ReadTemplate(check, Site::kStep, &names, compilation);
}

/// Something must come behind a step in the background, or it is stopped as soon as it begins.
void ReadBackground(const Fields& fields, StepSpec& step, const JobNames& names,
                    Compilation& compilation) {
  const NodeRef node = fields.Get("background");
  step.background = ReadBoolean(node, "background", compilation.reporter).value_or(false);
  if (!step.background) {
    return;
  }
  if (step.effects_once) {
    compilation.reporter
        .Error(
            "conflicting-keys", node.place(),
            "a step of `effects: once` cannot run in the background: it might be stopped half way")
        .hint = "without `background` the steps behind it wait for its end";
  }
  if (names.step >= names.steps_end) {
    compilation.reporter
        .Error("background-at-end", node.place(),
               "a step of `finally` cannot run in the background")
        .hint = "start it among the job's `steps`";
  } else if (names.step + 1 == names.steps_end) {
    compilation.ReporterOfLack(names.self)
        .Error("background-at-end", node.place(),
               "no step comes behind this one, so it would be stopped as soon as it begins")
        .hint = "leave out `background`: then the job waits for its end";
  }
}

void ReadStepMap(NodeRef node, StepSpec& step, const JobNames& names, const Fields& defaults,
                 Compilation& compilation) {
  Reporter& reporter = compilation.reporter;
  const Fields fields = compilation.Check(node, Level::kStep);
  const auto or_default = [&](std::string_view key) {
    const NodeRef own = fields.Get(key);
    return own || fields.Wrote(key) ? own : defaults.Get(key);
  };
  step.id = fields.Get("id") ? fields.Get("id").text() : std::string_view();
  step.name = ReadTemplate(fields.Get("name"), Site::kStep, &names, compilation).text;
  ReadShell(or_default("shell"), step, compilation);
  if (const NodeRef run = fields.Get("run")) {
    ReadRun(run, step, names, compilation);
  } else if (fields.Lacks("run") && fields.Lacks("use")) {
    reporter.Error("missing-key", node.place(), "a step needs `run`");
  }
  ReadWorkdir(or_default("workdir"), step, names, compilation);
  ReadVariables(fields.Get("env"), "env", Site::kStep, &names, compilation, step.env);
  step.condition = ReadCondition(fields.Get("if"), Site::kStepCondition, &names, compilation);
  step.timeout = ReadDuration(fields.Get("timeout"), "timeout", reporter).value_or(step.timeout);
  step.continue_on_error =
      ReadBoolean(fields.Get("continue_on_error"), "continue_on_error", reporter).value_or(false);
  ReadEffects(fields, step, names, compilation);
  ReadBackground(fields, step, names, compilation);
}

}  // namespace

StepNodes CollectSteps(const JobFields& fields, Compilation& compilation) {
  StepNodes nodes;
  for (const std::string_view key : {"before", "steps", "after"}) {
    nodes.lacks_some |= !Collect(fields.Get(key), key, nodes.steps, compilation);
  }
  nodes.lacks_some |= !Collect(fields.Get("finally"), "finally", nodes.finally_steps, compilation);
  return nodes;
}

std::vector<StepName> NameSteps(const StepNodes& nodes, Compilation& compilation) {
  std::vector<StepName> names;
  std::vector<std::pair<std::string_view, NodeRef>> seen;
  std::size_t position = 0;
  for (const auto* list : {&nodes.steps, &nodes.finally_steps}) {
    for (const NodeRef step : *list) {
      if (const NodeRef id = ValueOf(step, "id"); id && id.is_scalar()) {
        CheckId(id, seen, compilation);
        const NodeRef background = ValueOf(step, "background");
        names.push_back(
            {.id = id.text(),
             .position = position,
             .background = background && background.is_scalar() && background.text() == "true"});
      }
      ++position;
    }
  }
  return names;
}

std::vector<StepSpec> CompileSteps(const std::vector<NodeRef>& nodes, std::size_t first_position,
                                   JobNames& names, const Fields& defaults,
                                   Compilation& compilation) {
  std::vector<StepSpec> steps;
  steps.reserve(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    StepSpec& step = steps.emplace_back();
    names.step = first_position + i;
    if (nodes[i].is_map()) {
      ReadStepMap(nodes[i], step, names, defaults, compilation);
    } else {
      ReadShell(defaults.Get("shell"), step, compilation);
      ReadRun(nodes[i], step, names, compilation);
      ReadWorkdir(defaults.Get("workdir"), step, names, compilation);
    }
  }
  return steps;
}

}  // namespace dsl
