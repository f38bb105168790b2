// SPDX-License-Identifier: Apache-2.0
// One job: its keys over those of `defaults`, as a spec and the jobs it plans.
#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "dsl/compilation.h"
#include "dsl/coordination.h"
#include "dsl/data.h"
#include "dsl/expressions.h"
#include "dsl/matrix.h"
#include "dsl/place.h"
#include "dsl/services.h"
#include "dsl/steps.h"
#include "dsl/values.h"
#include "engine/base/did_you_mean.h"

namespace dsl {
namespace {

using engine::model::JobIndex;
using engine::model::JobSpec;
using engine::model::SpecIndex;

std::string StageList(const Compilation& compilation) {
  std::vector<std::string_view> names;
  for (const engine::model::StageSpec& stage : compilation.plan.stages) {
    names.push_back(stage.name);
  }
  return fmt::format("stages are {}", fmt::join(names, ", "));
}

class JobCompiler {
 public:
  JobCompiler(SpecIndex index, const Entry& entry, JobFields fields, Compilation& compilation)
      : index_(index), entry_(entry), fields_(std::move(fields)), compilation_(compilation) {
    names_.self = index;
    names_.spec = &spec_;
  }

  void Compile() {
    spec_.name = entry_.key.text();
    spec_.at = PositionOf(entry_.key);
    ReadStage();
    CompileNeeds(fields_.Get("needs"), index_, spec_, compilation_);
    if (is_final()) {
      AddAllNeeds(spec_, compilation_);
    }
    ReadCells();
    ReadCoordination();
    ReadSteps();
    ReadJobExpressions();
    ReadSettings();
    ReadData();
    if (spec_.name == compilation_.options.explain_job) {
      ExplainJob(fields_, nodes_, compilation_);
    }
    Append();
  }

 private:
  Reporter& reporter() { return compilation_.reporter; }
  /// It stands in the document's `finally`.
  bool is_final() const {
    const std::size_t at = engine::base::AsIndex(index_);
    return at >= compilation_.ordinary_jobs && at < compilation_.final_jobs_end;
  }
  void ReadStage();
  void ReadCells();
  void ReadCoordination();
  void ReadSteps();
  void ReadJobExpressions();
  void ReadSettings();
  void ReadPool();
  void ReadPlaceKeys();
  void CheckStepTimeouts();
  void ReadData();
  void Append();

  SpecIndex index_;
  const Entry& entry_;
  JobFields fields_;
  Compilation& compilation_;
  JobSpec spec_;
  JobNames names_;
  StepNodes nodes_;
  std::vector<std::vector<engine::model::JsonText>> cells_;
};

void JobCompiler::ReadCells() {
  const NodeRef matrix = fields_.Get("matrix");
  const NodeRef parallel = fields_.Get("parallel");
  if (matrix && parallel) {
    reporter()
        .Error("conflicting-keys", parallel.place(), "`parallel` cannot stand beside `matrix`")
        .hint = "add an axis to the matrix: `index: [1, 2, 3, 4]`";
  }
  const NodeRef for_each = fields_.Get("for_each");
  if (for_each && (matrix || parallel)) {
    reporter()
        .Error("conflicting-keys", for_each.place(),
               fmt::format("`for_each` cannot stand beside `{}`", matrix ? "matrix" : "parallel"))
        .hint = "one list can hold all combinations: values may be maps";
  }
  if (!matrix && !parallel && !for_each) {
    return;
  }
  CompiledMatrix compiled = matrix     ? CompileMatrix(matrix, compilation_)
                            : parallel ? CompileParallel(parallel, compilation_)
                                       : CompileForEach(for_each, names_, compilation_);
  spec_.matrix = std::move(compiled.spec);
  cells_ = std::move(compiled.cells);
}

void JobCompiler::ReadStage() {
  const NodeRef node = fields_.Get("stage");
  if (node && is_final()) {
    reporter()
        .Error("conflicting-keys", node.place(), "a job of `finally` belongs to no stage")
        .hint = "it comes after all of them";
    return;
  }
  if (!node) {
    if (!is_final() && !compilation_.plan.stages.empty() && !fields_.own().Wrote("needs") &&
        !fields_.own().Wrote("stage")) {
      compilation_.ReporterOfLack(index_)
          .Error("missing-stage", entry_.key.place(),
                 fmt::format("the job `{}` has neither a stage nor `needs`", entry_.key.text()))
          .hint = StageList(compilation_);
    }
    return;
  }
  const std::optional<std::string> name = ReadText(node, "stage", reporter());
  if (!name) {
    return;
  }
  const auto found = compilation_.stages_by_name.find(*name);
  if (found != compilation_.stages_by_name.end()) {
    spec_.stage = found->second;
    return;
  }
  std::vector<std::string_view> known;
  for (const engine::model::StageSpec& stage : compilation_.plan.stages) {
    known.push_back(stage.name);
  }
  Diagnostic& diagnostic = compilation_.ReporterOfLack().Error(
      "unknown-stage", node.place(), fmt::format("there is no stage `{}`", *name));
  diagnostic.hint = engine::base::DidYouMean(*name, known);
  if (diagnostic.hint.empty()) {
    diagnostic.hint = known.empty() ? fmt::format("list it in the document: `stages: [{}]`", *name)
                                    : StageList(compilation_);
  }
}

// The approval first: the other keys may read what it was given.
void JobCompiler::ReadCoordination() {
  if (const NodeRef node = fields_.Get("approval")) {
    if (auto approval = ReadApproval(node, compilation_)) {
      RareSettings(spec_).approval = std::move(approval);
    }
  }
  if (const NodeRef node = fields_.Get("concurrency")) {
    RareSettings(spec_).concurrency = ReadConcurrency(node, Site::kJob, &names_, compilation_);
  }
  if (const NodeRef node = fields_.Get("environment")) {
    RareSettings(spec_).environment = ReadEnvironment(node, &names_, compilation_);
  }
  if (const NodeRef node = fields_.Get("overlap"); node && ReadOverlapNever(node, compilation_)) {
    RareSettings(spec_).overlap_never = true;
  }
  if (const auto delay = ReadDuration(fields_.Get("delay"), "delay", reporter())) {
    RareSettings(spec_).delay = *delay;
  }
}

void JobCompiler::ReadSteps() {
  nodes_ = CollectSteps(fields_, compilation_);
  if (nodes_.lacks_some) {
    compilation_.jobs_lacking.insert(&entry_.value.node());
  }
  const StepNodes& nodes = nodes_;
  names_.steps = NameSteps(nodes, compilation_);
  names_.steps_end = nodes.steps.size();
  CompiledServices services = CompileServices(fields_.Get("services"), names_, compilation_);
  spec_.steps = CompileSteps(nodes.steps, 0, names_, fields_.defaults(), compilation_);
  if (!services.steps.empty()) {
    spec_.steps.insert(spec_.steps.begin(), std::make_move_iterator(services.steps.begin()),
                       std::make_move_iterator(services.steps.end()));
    RareSettings(spec_).services = std::move(services.ready);
  }
  if (!nodes.finally_steps.empty()) {
    RareSettings(spec_).finally_steps = CompileSteps(nodes.finally_steps, nodes.steps.size(),
                                                     names_, fields_.defaults(), compilation_);
  }
  // What the steps left behind is read after all of them, and before `finally`.
  names_.step = nodes.steps.size();
  const NodeRef steps = fields_.Get("steps");
  if (steps && steps.is_sequence() && steps.size() == 0) {
    reporter().Error("empty-value", steps.place(), "a job needs at least one step");
  } else if (!steps && fields_.own().Lacks("steps") && fields_.defaults().Lacks("steps")) {
    compilation_.ReporterOfLack(index_)
        .Error("missing-key", entry_.key.place(),
               fmt::format("the job `{}` has no `steps`", entry_.key.text()))
        .hint = "for example `steps: [make test]`";
  }
}

void JobCompiler::ReadJobExpressions() {
  spec_.condition = ReadCondition(fields_.Get("if"), Site::kJobCondition, &names_, compilation_);
  if (is_final() && !spec_.condition.decides_alone) {
    // However the run ended, a cancel included; its own `if` may still say no.
    std::string& text = spec_.condition.text;
    text = text.empty() ? "always()" : fmt::format("always() && ({})", text);
    spec_.condition.decides_alone = true;
  }
  const Fields& defaults = fields_.defaults();
  const auto layers = [&](std::string_view key) {
    const NodeRef own = fields_.own().Get(key);
    // `env:` with nothing in it takes the default ones away.
    const bool takes_away = !own && fields_.own().Wrote(key);
    return std::array{takes_away ? NodeRef() : defaults.Get(key), own};
  };
  for (const NodeRef env : layers("env")) {
    ReadVariables(env, "env", Site::kJob, &names_, compilation_, spec_.env);
  }
  for (const NodeRef outputs : layers("outputs")) {
    if (outputs) {
      ReadVariables(outputs, "outputs", Site::kResult, &names_, compilation_,
                    RareSettings(spec_).outputs);
    }
  }
}

void JobCompiler::ReadSettings() {
  spec_.timeout =
      ReadDuration(fields_.Get("timeout"), "timeout", reporter()).value_or(spec_.timeout);
  const auto priority =
      ReadInteger(fields_.Get("priority"), "priority", -1'000'000, 1'000'000, reporter());
  spec_.priority = static_cast<std::int32_t>(priority.value_or(0));
  if (const auto limit = ReadDuration(fields_.Get("queue_timeout"), "queue_timeout", reporter())) {
    RareSettings(spec_).queue_timeout = *limit;
  }
  if (const auto bytes = ReadSize(fields_.Get("log_limit"), "log_limit", reporter())) {
    RareSettings(spec_).log_limit = *bytes;
  }
  ReadPool();
  ReadPlaceKeys();
  if (const NodeRef node = fields_.Get("retry")) {
    RareSettings(spec_).retry = ReadRetry(node, compilation_);
  }
  if (const NodeRef node = fields_.Get("allow_failure")) {
    RareSettings(spec_).allow_failure = ReadAllowFailure(node, compilation_);
  }
  if (const NodeRef node = fields_.Get("checkout")) {
    RareSettings(spec_).checkout = ReadCheckout(node, compilation_);
  }
  if (fields_.own().Wrote("secrets") || fields_.defaults().Wrote("secrets")) {
    compilation_.secrets_listed.emplace(index_,
                                        ReadTexts(fields_.Get("secrets"), "secrets", reporter()));
  }
  CheckStepTimeouts();
}

void JobCompiler::ReadPool() {
  const NodeRef node = fields_.Get("pool");
  const std::optional<std::string> name = ReadText(node, "pool", reporter());
  if (name.has_value() && !IsWord(*name)) {
    reporter()
        .Error("bad-name", node.place(), fmt::format("'{}' is no name of a pool", *name))
        .hint = "letters, digits, `_` and `-`, beginning with a letter; no expressions";
    return;
  }
  const std::string_view pool = name ? *name : engine::model::kDefaultPool;
  const std::vector<std::string>& known = compilation_.options.pools;
  if (!known.empty() && std::find(known.begin(), known.end(), pool) == known.end()) {
    const std::vector<std::string_view> names(known.begin(), known.end());
    Diagnostic& unknown =
        reporter().Error("unknown-pool", (name ? node : entry_.key).place(),
                         fmt::format("this server has no pool '{}'{}", pool,
                                     name ? "" : ", which is that of a job that names none"));
    unknown.hint = engine::base::DidYouMean(pool, names);
    if (unknown.hint.empty()) {
      unknown.hint = fmt::format("it has: {}", fmt::join(known, ", "));
    }
  } else if (name.has_value() && pool != engine::model::kDefaultPool &&
             !compilation_.options.one_pool) {
    RareSettings(spec_).pool = *name;
  }
}

void JobCompiler::ReadPlaceKeys() {
  auto place = ReadPlace({.labels = fields_.Get("requires"),
                          .resources = fields_.Get("resources"),
                          .image = fields_.Get("image"),
                          .sandbox = fields_.Get("sandbox"),
                          .network = fields_.Get("network")},
                         names_, compilation_);
  const auto& services = engine::model::RareOf(spec_).services;
  const bool service_images = std::ranges::any_of(
      services, [](const auto& service) { return !service.image.text.empty(); });
  if (place.has_value() || service_images) {
    RareSettings(spec_).place = std::move(place).value_or(engine::model::PlaceSpec());
    RareSettings(spec_).place->need.service_images = service_images;
    if (spec_.rare->place->at.line == 0) {
      spec_.rare->place->at = PositionOf(fields_.Get("services"));
    }
  }
}

void JobCompiler::CheckStepTimeouts() {
  const engine::base::Duration job =
      spec_.timeout.count() > 0 ? spec_.timeout : engine::model::DefaultSettings().job_timeout;
  const auto check = [&](engine::base::Duration timeout, NodeRef map) {
    if (timeout > job) {
      compilation_.ReporterOfLack(index_).Warning(
          "timeout-never-reached", ValueOf(map, "timeout").place(),
          fmt::format("the job's timeout of {} comes first", engine::base::FormatDuration(job)));
    }
  };
  // Services stand before what is written as steps.
  const std::size_t services = engine::model::RareOf(spec_).services.size();
  for (std::size_t i = 0; i < services; ++i) {
    const NodeRef service = ValueOf(fields_.Get("services"), spec_.steps[i].id);
    check(spec_.rare->services[i].timeout, ValueOf(service, "ready"));
  }
  for (std::size_t i = services; i < spec_.steps.size(); ++i) {
    check(spec_.steps[i].timeout, nodes_.steps[i - services]);
  }
}

void JobCompiler::ReadData() {
  if (const NodeRef node = fields_.Get("artifacts")) {
    ReadArtifacts(node, names_, spec_, compilation_);
  }
  if (const NodeRef node = fields_.Get("cache")) {
    ReadCaches(node, names_, spec_, compilation_);
  }
  if (const NodeRef node = fields_.Get("reuse")) {
    ReadReuse(node, spec_, compilation_);
  }
}

void JobCompiler::Append() {
  engine::model::Plan& plan = compilation_.plan;
  if (spec_.matrix == nullptr) {
    plan.jobs.push_back({index_, {}});
  } else {
    spec_.matrix->first_cell = JobIndex(static_cast<std::uint32_t>(plan.jobs.size()));
    // More than a run holds is an error that is reported when all jobs are counted.
    const std::size_t room = compilation_.options.jobs_max + 1 -
                             std::min<std::size_t>(plan.jobs.size(), compilation_.options.jobs_max);
    const std::size_t taken = std::min(cells_.size(), room);
    compilation_.jobs_beyond += cells_.size() - taken;
    spec_.matrix->cell_count = static_cast<std::uint32_t>(taken);
    for (std::size_t i = 0; i < taken; ++i) {
      plan.jobs.push_back({index_, std::move(cells_[i])});
    }
  }
  plan.specs.push_back(std::move(spec_));
}

}  // namespace

void CompileJob(SpecIndex index, Compilation& compilation) {
  const Entry& entry = compilation.jobs[engine::base::AsIndex(index)];
  if (!IsJobName(entry.key.text())) {
    compilation.reporter
        .Error("bad-name", entry.key.place(),
               fmt::format("`{}` is no name for a job", entry.key.text()))
        .hint = "a name has letters, digits, `_`, `-` and `.`, at most 100";
  }
  NodeRef map = entry.value;
  if (!map.is_map()) {
    compilation.reporter
        .Error("wrong-type", (map.is_null() ? entry.key : map).place(),
               fmt::format("the job `{}` is a map, not {}", entry.key.text(),
                           map.is_null() ? "empty" : Describe(map.kind())))
        .hint = fmt::format("write `{}: {{ steps: [make] }}`", entry.key.text());
    compilation.jobs_lacking.insert(&map.node());
    engine::model::JobSpec spec;
    spec.name = entry.key.text();
    compilation.plan.specs.push_back(std::move(spec));
    return;
  }
  JobFields fields(compilation.Check(map, Level::kJob, &compilation.defaults),
                   compilation.defaults);
  JobCompiler(index, entry, std::move(fields), compilation).Compile();
}

}  // namespace dsl
