// SPDX-License-Identifier: Apache-2.0
#include "dsl/compile.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "dsl/compilation.h"
#include "dsl/coordination.h"
#include "dsl/expressions.h"
#include "dsl/includes.h"
#include "dsl/values.h"

namespace dsl {
namespace {

using engine::model::SpecIndex;

/// The file's name without its folder and its ending.
std::string StemOf(const std::string& path) {
  std::string stem = path.substr(path.find_last_of('/') + 1);
  for (const std::string_view ending : {".yml", ".yaml"}) {
    if (stem.size() > ending.size() && stem.ends_with(ending)) {
      stem.resize(stem.size() - ending.size());
    }
  }
  return stem;
}

/// `finally` of the document: its jobs come behind the others.
void AddFinalJobs(NodeRef node, Compilation& compilation) {
  if (!node) {
    return;
  }
  for (const Entry& entry : EntriesOf(node, compilation.reporter)) {
    const auto same =
        std::find_if(compilation.jobs.begin(), compilation.jobs.end(),
                     [&](const Entry& job) { return job.key.text() == entry.key.text(); });
    if (same != compilation.jobs.end()) {
      compilation.reporter
          .Error("duplicate-job", entry.key.place(),
                 fmt::format("there is a job `{}` already", entry.key.text()))
          .related.push_back(Related(same->key.place(), "first here"));
      continue;
    }
    compilation.jobs.push_back(entry);
  }
}

/// `jobs` by name, before any is read: needs may point forward.
void IndexJobs(const Fields& fields, Compilation& compilation) {
  const NodeRef node = fields.Get("jobs");
  if (!node) {
    if (fields.Lacks("jobs")) {
      const Document& document = fields.map().document();
      compilation.ReporterOfLack()
          .Error("missing-key", Place{&document, {0, 0}, nullptr}, "a pipeline needs `jobs`")
          .hint = "for example `jobs: { build: { steps: [make] } }`";
    }
    return;
  }
  compilation.jobs = EntriesOf(node, compilation.reporter);
  if (compilation.jobs.empty()) {
    compilation.reporter.Error("empty-value", node.place(), "a pipeline needs at least one job");
  }
  compilation.ordinary_jobs = compilation.jobs.size();
  AddFinalJobs(fields.Get("finally"), compilation);
  compilation.final_jobs_end = compilation.jobs.size();
  compilation.specs_by_name.reserve(compilation.jobs.size());
  for (std::uint32_t i = 0; i < compilation.jobs.size(); ++i) {
    compilation.specs_by_name.emplace(compilation.jobs[i].key.text(), SpecIndex(i));
  }
  // A job of a name that is taken cannot be needed; what else is wrong with it is told, too.
  for (std::uint32_t i = 0; i < node.repeated_entries(); ++i) {
    const std::uint32_t entry = node.entries() + i;
    compilation.jobs.push_back({node.key(entry), node.value(entry)});
  }
  for (Entry& job : compilation.jobs) {
    job.value = Extend(job.value, compilation);
  }
}

void CompileRoot(NodeRef root, Compilation& compilation) {
  Reporter& reporter = compilation.reporter;
  engine::model::Plan& plan = compilation.plan;
  const Fields fields = compilation.Check(root, Level::kDocument);
  if (std::optional<std::string> name = ReadText(fields.Get("name"), "name", reporter)) {
    plan.name = std::move(*name);
  }
  CompileTriggers(fields.Get("on"), compilation);
  CompileInputs(fields.Get("inputs"), compilation);
  compilation.document_env = fields.Get("env");
  ReadVariables(compilation.document_env, "env", Site::kDocument, nullptr, compilation, plan.env);
  plan.timeout = ReadDuration(fields.Get("timeout"), "timeout", reporter).value_or(plan.timeout);
  if (const NodeRef concurrency = fields.Get("concurrency")) {
    auto groups = ReadConcurrency(concurrency, Site::kDocument, nullptr, compilation);
    if (!groups.empty()) {
      plan.concurrency = std::move(groups.front());
    }
  }
  if (const NodeRef defaults = fields.Get("defaults")) {
    compilation.defaults = compilation.Check(defaults, Level::kDefaults);
  }
  CompileStages(fields.Get("stages"), compilation);
  CompileTemplates(fields.Get("templates"), compilation);
  IndexJobs(fields, compilation);
  plan.specs.reserve(compilation.jobs.size());
  plan.jobs.reserve(compilation.jobs.size());
  for (std::uint32_t i = 0; i < compilation.jobs.size(); ++i) {
    CompileJob(SpecIndex(i), compilation);
  }
  CheckUnusedTemplates(compilation);
  CheckPlan(compilation);
  CheckGuarantees(compilation);
}

}  // namespace

Compiled Compile(const std::string& path, SourceLoader& loader, const CompileOptions& options) {
  Compilation compilation(options);
  compilation.plan.name = StemOf(path);
  if (const NodeRef root = LoadPipeline(path, loader, compilation)) {
    CompileRoot(root, compilation);
  }
  Compiled compiled;
  if (!compilation.reporter.has_errors()) {
    compiled.plan = std::make_shared<const engine::model::Plan>(std::move(compilation.plan));
  }
  compiled.diagnostics = compilation.reporter.Take();
  compiled.origins = std::move(compilation.origins);
  return compiled;
}

}  // namespace dsl
