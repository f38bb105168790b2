// SPDX-License-Identifier: Apache-2.0
// Any bytes through parse, check, expand, compile, and through every view of what came of it.
// Nothing may crash, hang or grow without bound; and what is reported must lie inside of the text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/activation.h"
#include "dsl/compile.h"
#include "dsl/plan_view.h"
#include "dsl/render.h"
#include "dsl/source_loader.h"
#include "engine/base/check.h"

namespace {

void CheckDiagnostic(const dsl::Diagnostic& diagnostic, std::size_t lines) {
  CHECK(!diagnostic.code.empty() && !diagnostic.message.empty());
  CHECK(diagnostic.line <= lines);
  CHECK(diagnostic.end_line >= diagnostic.line);
  CHECK(diagnostic.end_line > diagnostic.line || diagnostic.end_column >= diagnostic.column);
  CHECK(!dsl::RenderText(diagnostic).empty());
  CHECK(dsl::RenderJson(diagnostic).find('\n') == std::string::npos);
}

void View(const engine::model::Plan& plan, dsl::PlanFormat format, bool edges) {
  const dsl::ResolvedInputs inputs = dsl::ResolveInputs(plan, {});
  const auto* values = std::get_if<std::vector<engine::model::NamedValue>>(&inputs);
  const dsl::Event event = {"push", "main", "", std::vector<std::string>{"src/a.c"}};
  const std::vector<dsl::Activity> activities = dsl::JobActivities(
      plan, event, values == nullptr ? std::vector<engine::model::NamedValue>() : *values);
  CHECK(activities.size() == plan.jobs.size());
  std::size_t bytes = 0;
  const auto status = dsl::WritePlan(plan, activities, {format, edges, 10'000},
                                     [&](std::string_view piece) { bytes += piece.size(); });
  CHECK(status.ok() == (bytes > 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t lines =
      1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  dsl::MemorySourceLoader loader;
  loader.Add("f.yml", text);
  loader.Add(
      "i.yml",
      "templates: { t: { inputs: { n: {} }, env: { N: \"${{ inputs.n }}\" }, steps: [\"x ${{ "
      "inputs.n }}\"] } }\n");
  const dsl::Compiled compiled = dsl::Compile("f.yml", loader,
                                              {.purpose = dsl::Purpose::kPlan,
                                               .jobs_max = 1000,
                                               .diagnostics_max = 100,
                                               .explain_job = "a"});
  CHECK(!dsl::RenderOrigins("a", compiled.origins).empty());
  CHECK(!dsl::RenderOriginsJson("a", compiled.origins).empty());
  CHECK((compiled.plan == nullptr) == dsl::HasErrors(compiled.diagnostics));
  for (const dsl::Diagnostic& diagnostic : compiled.diagnostics) {
    CheckDiagnostic(diagnostic, diagnostic.file == "f.yml" ? lines : 2);
  }
  if (compiled.plan != nullptr) {
    View(*compiled.plan, dsl::PlanFormat::kJson, true);
    View(*compiled.plan, dsl::PlanFormat::kText, false);
    View(*compiled.plan, dsl::PlanFormat::kDot, false);
    View(*compiled.plan, dsl::PlanFormat::kMermaid, true);
  }
  return 0;
}
