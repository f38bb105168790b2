// SPDX-License-Identifier: Apache-2.0
#include "dsl/compile.h"

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "dsl/compilation.h"
#include "dsl/expressions.h"
#include "dsl/parse.h"
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

std::string_view CodeOf(const engine::base::Status& status) {
  if (status.code() == absl::StatusCode::kNotFound) {
    return "missing-file";
  }
  if (status.code() == absl::StatusCode::kFailedPrecondition) {
    return "not-a-file";
  }
  if (status.code() == absl::StatusCode::kResourceExhausted) {
    return "file-too-large";
  }
  return "unreadable-file";
}

std::unique_ptr<Document> LoadDocument(const std::string& path, SourceLoader& loader,
                                       Reporter& reporter) {
  engine::base::StatusOr<std::string> text = loader.Load(path);
  if (!text.ok()) {
    reporter.FileError(CodeOf(text.status()), path,
                       std::string(engine::base::Message(text.status())));
    return nullptr;
  }
  // Positions are 32 bits wide, whatever a loader lets pass.
  if (text->size() > (1ULL << 30)) {
    reporter.FileError("file-too-large", path, "the file is larger than 1 GiB");
    return nullptr;
  }
  return Parse(path, *std::move(text), 0, reporter);
}

/// `jobs` by name, before any is read: needs may point forward.
void IndexJobs(const Fields& fields, const Document& document, Compilation& compilation) {
  const NodeRef node = fields.Get("jobs");
  if (!node) {
    if (fields.Lacks("jobs")) {
      compilation.reporter
          .Error("missing-key", Place{&document, {0, 0}, nullptr}, "a pipeline needs `jobs`")
          .hint = "for example `jobs: { build: { steps: [make] } }`";
    }
    return;
  }
  compilation.jobs = EntriesOf(node, compilation.reporter);
  if (compilation.jobs.empty()) {
    compilation.reporter.Error("empty-value", node.place(), "a pipeline needs at least one job");
  }
  compilation.specs_by_name.reserve(compilation.jobs.size());
  for (std::uint32_t i = 0; i < compilation.jobs.size(); ++i) {
    compilation.specs_by_name.emplace(compilation.jobs[i].key.text(), SpecIndex(i));
  }
  // A job of a name that is taken cannot be needed; what else is wrong with it is told, too.
  for (std::uint32_t i = 0; i < node.repeated_entries(); ++i) {
    const std::uint32_t entry = node.entries() + i;
    compilation.jobs.push_back({node.key(entry), node.value(entry)});
  }
}

void CompileDocument(const Document& document, Compilation& compilation) {
  const NodeRef root(document, document.root);
  Reporter& reporter = compilation.reporter;
  if (root.is_null()) {
    reporter.Error("empty-file", root.place(), "the file holds no pipeline");
    return;
  }
  if (!root.is_map()) {
    reporter.Error("wrong-type", root.place(),
                   fmt::format("a pipeline is a map, not {}", Describe(root.kind())));
    return;
  }
  engine::model::Plan& plan = compilation.plan;
  const Fields fields = compilation.Check(root, Level::kDocument);
  if (std::optional<std::string> name = ReadText(fields.Get("name"), "name", reporter)) {
    plan.name = std::move(*name);
  }
  CompileTriggers(fields.Get("on"), compilation);
  CompileInputs(fields.Get("inputs"), compilation);
  ReadVariables(fields.Get("env"), "env", Site::kDocument, nullptr, compilation, plan.env);
  plan.timeout = ReadDuration(fields.Get("timeout"), "timeout", reporter).value_or(plan.timeout);
  if (const NodeRef defaults = fields.Get("defaults")) {
    compilation.defaults = compilation.Check(defaults, Level::kDefaults);
  }
  CompileStages(fields.Get("stages"), compilation);
  IndexJobs(fields, document, compilation);
  plan.specs.reserve(compilation.jobs.size());
  plan.jobs.reserve(compilation.jobs.size());
  for (std::uint32_t i = 0; i < compilation.jobs.size(); ++i) {
    CompileJob(SpecIndex(i), compilation);
  }
  CheckPlan(compilation);
}

}  // namespace

Compiled Compile(const std::string& path, SourceLoader& loader, const CompileOptions& options) {
  Compilation compilation(options);
  compilation.plan.files.push_back(path);
  compilation.plan.name = StemOf(path);
  const std::unique_ptr<Document> document = LoadDocument(path, loader, compilation.reporter);
  if (document != nullptr) {
    CompileDocument(*document, compilation);
  }
  Compiled compiled;
  if (!compilation.reporter.has_errors()) {
    compiled.plan = std::make_shared<const engine::model::Plan>(std::move(compilation.plan));
  }
  compiled.diagnostics = compilation.reporter.Take();
  return compiled;
}

}  // namespace dsl
