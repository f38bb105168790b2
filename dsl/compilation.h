// SPDX-License-Identifier: Apache-2.0
// What the parts of one compilation share, and what each part offers. Nothing here outlives the
// call of `Compile`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dsl/arena.h"
#include "dsl/compile.h"
#include "dsl/document.h"
#include "dsl/fields.h"
#include "dsl/reporter.h"
#include "dsl/templates.h"
#include "engine/model/plan.h"

namespace dsl {

/// `needs.JOB.outputs.NAME`, to be checked once every job's outputs are known.
struct OutputUse {
  engine::model::SpecIndex user;
  engine::model::SpecIndex need;
  std::string output;
  Place place;
};

/// Read by the engine itself, so it must stand in the run's log.
struct EngineUse {
  engine::model::SpecIndex need;
  std::string output;  ///< empty: it may be any
};

/// `secrets.NAME` read by a job.
struct SecretUse {
  engine::model::SpecIndex user;
  std::string secret;
  Place place;
};

/// `jobs.JOB` read by `user`: it must have ended by then.
struct JobUse {
  engine::model::SpecIndex user;
  engine::model::SpecIndex job;
  Place place;
};

/// `cell` of a need, to be held against the other job's matrix once that is known.
struct CellUse {
  engine::model::SpecIndex user;
  std::size_t need = 0;  ///< position in `JobSpec::needs`
  NodeRef cell;
};

/// An artifact that a job receives from whichever of its needs uploads it.
struct DownloadUse {
  engine::model::SpecIndex user;
  NodeRef name;
};

/// How many values may be looked at to put templates' inputs in.
inline constexpr std::uint64_t kTemplateNodesMax = 4'000'000;

struct Compilation {
  explicit Compilation(const CompileOptions& compile_options)
      : options(compile_options), reporter(compile_options.diagnostics_max) {}

  CompileOptions options;
  Reporter reporter;
  Reporter unheard{0};  ///< takes what only follows from something that was told
  engine::model::Plan plan;
  Arena arena;
  std::vector<std::unique_ptr<Document>> documents;  ///< the pipeline's and what it includes
  bool lacks_includes = false;  ///< an include could not be read: what is missing may stand there
  Templates templates;
  std::set<const Node*> jobs_lacking;  ///< maps of which a part is not there, such as a template
  std::uint64_t template_nodes = 0;    ///< looked at to put inputs in
  Fields defaults;
  NodeRef document_env;
  std::vector<ValueOrigin> origins;
  /// Of each spec, its name and its map: ordinary jobs, those of the document's `finally`, and
  /// those of a name that is taken, which are only checked.
  std::vector<Entry> jobs;
  std::size_t ordinary_jobs = 0;
  std::size_t final_jobs_end = 0;
  std::unordered_map<std::string_view, engine::model::SpecIndex> specs_by_name;
  std::unordered_map<std::string_view, std::uint32_t> stages_by_name;
  std::vector<NodeRef> stage_nodes;  ///< of each stage, its name
  std::vector<OutputUse> output_uses;
  std::vector<EngineUse> engine_uses;
  std::vector<JobUse> job_uses;
  std::vector<SecretUse> secret_uses;
  std::vector<CellUse> cell_uses;
  std::vector<DownloadUse> downloads;
  std::map<engine::model::SpecIndex, std::vector<std::string>> secrets_listed;  ///< by job
  /// By job, the names under its `needs` that no job has; told once, where they are needed.
  std::map<engine::model::SpecIndex, std::vector<std::string>> needs_unknown;
  std::uint64_t jobs_beyond = 0;  ///< not put into the plan because it is full

  Fields Check(NodeRef map, Level level, const Fields* beneath = nullptr) {
    return Fields::Check(map, level, options.purpose, reporter, beneath);
  }
  /// What `job` seems not to have may stand in a template or an include that is not there.
  bool MayHaveMore(engine::model::SpecIndex job) const {
    const NodeRef map = jobs[engine::base::AsIndex(job)].value;
    return lacks_includes || jobs_lacking.contains(&map.node());
  }
  /// For what the document has not, or `job`: silent when that only follows from what is not there.
  Reporter& ReporterOfLack() { return lacks_includes ? unheard : reporter; }
  Reporter& ReporterOfLack(engine::model::SpecIndex job) {
    return MayHaveMore(job) ? unheard : reporter;
  }
  /// False once templates with inputs have become too much; that was reported then.
  bool TakeTemplateNode();
};

/// A job's keys, and behind them those of `defaults`.
class JobFields {
 public:
  JobFields(Fields own, const Fields& defaults) : own_(std::move(own)), defaults_(&defaults) {}
  NodeRef Get(std::string_view key) const {
    const NodeRef mine = own_.Get(key);
    return mine || own_.Wrote(key) ? mine : defaults_->Get(key);
  }
  const Fields& own() const { return own_; }
  const Fields& defaults() const { return *defaults_; }

 private:
  Fields own_;
  const Fields* defaults_;
};

// ---- triggers.cc, inputs.cc, stages.cc
void CompileTriggers(NodeRef node, Compilation& compilation);
void CompileInputs(NodeRef node, Compilation& compilation);
void CompileStages(NodeRef node, Compilation& compilation);

// ---- job.cc
/// Appends the spec and its jobs to the plan. `compilation.specs_by_name` knows all jobs already.
void CompileJob(engine::model::SpecIndex index, Compilation& compilation);

// ---- outcome.cc: what few jobs set
engine::model::RetrySpec ReadRetry(NodeRef node, Compilation& compilation);
engine::model::AllowFailure ReadAllowFailure(NodeRef node, Compilation& compilation);
engine::model::CheckoutSpec ReadCheckout(NodeRef node, Compilation& compilation);

// ---- needs.cc
/// Fills in `has_needs`, `needs` and the artifacts' names.
void CompileNeeds(NodeRef node, engine::model::SpecIndex self, engine::model::JobSpec& spec,
                  Compilation& compilation);
/// Finds the cells that needs name; all jobs are compiled.
void ResolveNeedCells(Compilation& compilation);
/// A job of the document's `finally` waits for the end of all ordinary ones.
void AddAllNeeds(engine::model::JobSpec& spec, const Compilation& compilation);
/// Where `needs` of `spec` names `target`.
Place PlaceOfNeed(engine::model::SpecIndex spec, engine::model::SpecIndex target,
                  const Compilation& compilation);

// ---- origins.cc
struct StepNodes;
/// Where each value of the job came from, into `compilation.origins`.
void ExplainJob(const JobFields& fields, const StepNodes& steps, Compilation& compilation);

// ---- order.cc, guarantees.cc: what can be said once all jobs are there
void CheckPlan(Compilation& compilation);
void CheckGuarantees(Compilation& compilation);

/// What few jobs set, made at the first use.
inline engine::model::RareJobSettings& RareSettings(engine::model::JobSpec& spec) {
  if (spec.rare == nullptr) {
    spec.rare = std::make_unique<engine::model::RareJobSettings>();
  }
  return *spec.rare;
}

}  // namespace dsl
