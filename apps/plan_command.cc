// SPDX-License-Identifier: Apache-2.0
#include "apps/plan_command.h"

#include <cstdio>

#include "apps/exit_code.h"
#include "apps/pipeline_file.h"
#include "dsl/activation.h"
#include "dsl/plan_view.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;

dsl::PlanFormat FormatOf(const std::string& name) {
  if (name == "json") {
    return dsl::PlanFormat::kJson;
  }
  if (name == "dot") {
    return dsl::PlanFormat::kDot;
  }
  return name == "mermaid" ? dsl::PlanFormat::kMermaid : dsl::PlanFormat::kText;
}

void Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

base::Status Show(const PlanOptions& options) {
  ASSIGN_OR_RETURN(const std::string file, ChoosePipeline(options.file));
  ASSIGN_OR_RETURN(const model::PlanRef plan, CompileFile(file, dsl::Purpose::kPlan));
  ASSIGN_OR_RETURN(const std::vector<model::NamedValue> inputs,
                   ResolveInputArguments(*plan, options.inputs));
  dsl::Event event{
      .name = options.event, .branch = options.branch, .tag = options.tag, .changed = {}};
  if (options.has_changed) {
    event.changed = options.changed;
  }
  const dsl::PlanViewOptions view{.format = FormatOf(options.format), .edges = options.edges};
  return dsl::WritePlan(*plan, dsl::JobActivities(*plan, event, inputs), view, Print);
}

}  // namespace

int PlanCommand(const PlanOptions& options) {
  if (options.defaults) {
    Print(dsl::DefaultsText());
    if (options.file.empty()) {
      return kExitOk;
    }
    Print("\n");
  }
  const base::Status shown = Show(options);
  if (shown.ok() || base::Message(shown).empty()) {
    return ExitCodeOf(shown);
  }
  // A graph that is too large to draw is the caller's choice of option, not our failure.
  return shown.code() == absl::StatusCode::kResourceExhausted
             ? Fail(kExitInvalid, base::Message(shown))
             : Fail(shown);
}

}  // namespace apps
