// SPDX-License-Identifier: Apache-2.0
#include "apps/plan_command.h"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "apps/exit_code.h"
#include "apps/pipeline_file.h"
#include "dsl/activation.h"
#include "dsl/origins.h"
#include "dsl/plan_view.h"
#include "engine/base/did_you_mean.h"
#include "engine/base/time.h"
#include "engine/loop/liveness.h"

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

/// `unit[core]` is explained as `unit`: cells differ in nothing but their values.
base::Status Explain(const PlanOptions& options, const std::string& file) {
  dsl::CompileOptions compile;
  compile.purpose = dsl::Purpose::kPlan;
  compile.explain_job = options.explain.substr(0, options.explain.find('['));
  ASSIGN_OR_RETURN(const dsl::Compiled compiled, CompileWithLimits(file, compile));
  PrintDiagnostics(compiled.diagnostics);
  if (compiled.plan == nullptr) {
    return base::InvalidArgument("");
  }
  std::vector<std::string_view> known;
  for (const model::JobSpec& spec : compiled.plan->specs) {
    known.push_back(spec.name);
  }
  if (std::ranges::find(known, compile.explain_job) == known.end()) {
    const std::string hint = base::DidYouMean(compile.explain_job, known);
    return base::InvalidArgument("{}: there is no job '{}'{}{}", file, compile.explain_job,
                                 hint.empty() ? "" : "; ", hint);
  }
  Print(options.format == "json" ? dsl::RenderOriginsJson(compile.explain_job, compiled.origins)
                                 : dsl::RenderOrigins(compile.explain_job, compiled.origins));
  return base::OkStatus();
}

base::Status Show(const PlanOptions& options) {
  ASSIGN_OR_RETURN(const std::string file, ChoosePipeline(options.file));
  if (!options.explain.empty()) {
    return Explain(options, file);
  }
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
    const engine::loop::LivenessOptions liveness;
    fmt::print("{:<34}  {:<31}  {}\n", "worker: suspected; given up",
               fmt::format("{}; {}", base::FormatDuration(liveness.suspect_after),
                           base::FormatDuration(liveness.silent_after)),
               "after nothing was heard of it");
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
