// SPDX-License-Identifier: Apache-2.0
#include "api/wire/run_outline.h"

#include <utility>

#include "api/wire/request_fields.h"

namespace api::wire {
namespace {

constexpr int kStepsMax = 10'000;

void AddSteps(const std::vector<model::StepSpec>& steps,
              google::protobuf::RepeatedPtrField<pb::OutlinedStep>* out) {
  for (const model::StepSpec& step : steps) {
    pb::OutlinedStep* outlined = out->Add();
    outlined->set_id(step.id);
    outlined->set_name(step.name);
    outlined->set_command(step.run.text.substr(0, step.run.text.find('\n')));
  }
}

void AddJob(const model::Plan& plan, const model::JobSpec& spec, pb::OutlinedJob* out) {
  out->set_name(spec.name);
  out->set_stage(spec.stage == model::kNoStage ? 0 : spec.stage + 1);
  AddSteps(spec.steps, out->mutable_steps());
  AddSteps(model::RareOf(spec).finally_steps, out->mutable_finally_steps());
  out->set_services(static_cast<std::uint32_t>(model::RareOf(spec).services.size()));
  if (spec.matrix == nullptr) {
    return;
  }
  out->set_has_matrix(true);
  out->set_for_each(spec.matrix->each.has_value());
  for (const std::string& key : spec.matrix->keys) {
    out->add_matrix_keys(key);
  }
  for (std::uint32_t i = 0; i < spec.matrix->cell_count; ++i) {
    pb::MatrixCell* cell = out->add_cells();
    for (const model::JsonText& value :
         plan.jobs[base::AsIndex(model::CellAt(*spec.matrix, i))].cell) {
      cell->add_values(value);
    }
  }
}

std::vector<model::StepSpec> StepsFrom(
    const google::protobuf::RepeatedPtrField<pb::OutlinedStep>& steps) {
  std::vector<model::StepSpec> out;
  for (const pb::OutlinedStep& step : steps) {
    model::StepSpec spec;
    spec.id = step.id();
    spec.name = step.name();
    spec.run.text = step.command();
    out.push_back(std::move(spec));
  }
  return out;
}

base::Status AddCells(const pb::OutlinedJob& job, model::SpecIndex index, model::Plan& plan,
                      model::JobSpec& spec) {
  if (!job.has_matrix()) {
    plan.jobs.push_back({.spec = index, .cell = {}});
    return base::OkStatus();
  }
  spec.matrix = std::make_unique<model::MatrixSpec>();
  spec.matrix->keys.assign(job.matrix_keys().begin(), job.matrix_keys().end());
  spec.matrix->first_cell = model::JobIndex(static_cast<std::uint32_t>(plan.jobs.size()));
  spec.matrix->cell_count = static_cast<std::uint32_t>(job.cells_size());
  if (job.for_each()) {
    if (job.cells_size() != 1) {
      return base::InvalidArgument("outline.jobs.cells: {} for one list", job.cells_size());
    }
    spec.matrix->each.emplace();
  }
  for (const pb::MatrixCell& cell : job.cells()) {
    if (cell.values_size() != job.matrix_keys_size()) {
      return base::InvalidArgument("outline.jobs.cells: {} values for {} keys", cell.values_size(),
                                   job.matrix_keys_size());
    }
    plan.jobs.push_back({.spec = index, .cell = {cell.values().begin(), cell.values().end()}});
  }
  return base::OkStatus();
}

base::Status AddSpec(const pb::OutlinedJob& job, model::Plan& plan) {
  if (job.stage() > plan.stages.size()) {
    return base::InvalidArgument("outline.jobs.stage: {} of {}", job.stage(), plan.stages.size());
  }
  if (job.steps_size() + job.finally_steps_size() > kStepsMax) {
    return base::InvalidArgument("outline.jobs.steps: more than {}", kStepsMax);
  }
  model::JobSpec spec;
  spec.name = job.name();
  spec.stage = job.stage() == 0 ? model::kNoStage : job.stage() - 1;
  spec.steps = StepsFrom(job.steps());
  if (job.services() > static_cast<std::uint32_t>(job.steps_size())) {
    return base::InvalidArgument("outline.jobs.services: {} of {} steps", job.services(),
                                 job.steps_size());
  }
  if (job.finally_steps_size() > 0 || job.services() > 0) {
    spec.rare = std::make_unique<model::RareJobSettings>();
    spec.rare->finally_steps = StepsFrom(job.finally_steps());
    spec.rare->services.resize(job.services());
  }
  const model::SpecIndex index(static_cast<std::uint32_t>(plan.specs.size()));
  RETURN_IF_ERROR(AddCells(job, index, plan, spec));
  plan.specs.push_back(std::move(spec));
  return base::OkStatus();
}

}  // namespace

pb::RunOutline OutlineOf(model::RunId run, const model::Plan& plan,
                         const model::RunContext& context) {
  pb::RunOutline out;
  out.set_run(model::ToText(run));
  out.set_pipeline(plan.name);
  out.set_pipeline_file(context.pipeline_file);
  out.set_source(context.source);
  out.set_commit(context.commit);
  out.set_branch(context.branch);
  out.set_tag(context.tag);
  out.set_tree(context.tree);
  out.set_event(context.event);
  out.set_by(context.by);
  ToWire(context.inputs, out.mutable_inputs());
  for (const model::StageSpec& stage : plan.stages) {
    out.add_stages(stage.name);
  }
  for (const model::JobSpec& spec : plan.specs) {
    AddJob(plan, spec, out.add_jobs());
  }
  return out;
}

base::StatusOr<OutlinedRun> OutlinedRunFrom(const pb::RunOutline& outline) {
  OutlinedRun out;
  ASSIGN_OR_RETURN(out.run, RunIdFrom(outline.run(), "outline.run"));
  auto context = std::make_shared<model::RunContext>();
  context->pipeline_file = outline.pipeline_file();
  context->source = outline.source();
  context->commit = outline.commit();
  context->branch = outline.branch();
  context->tag = outline.tag();
  context->tree = outline.tree();
  context->event = outline.event();
  context->by = outline.by();
  context->inputs = NamedValuesFrom(outline.inputs());
  auto plan = std::make_shared<model::Plan>();
  plan->name = outline.pipeline();
  for (const std::string& stage : outline.stages()) {
    plan->stages.push_back({.name = stage, .at = {}});
  }
  for (const pb::OutlinedJob& job : outline.jobs()) {
    RETURN_IF_ERROR(AddSpec(job, *plan));
  }
  out.plan = std::move(plan);
  out.context = std::move(context);
  return out;
}

}  // namespace api::wire
