// SPDX-License-Identifier: Apache-2.0
// Only the outer half: needs, context, times. The job's own spec is `job_spec.cc`.
#include "api/wire/assignment.h"

#include <map>
#include <memory>
#include <utility>

#include "api/wire/job_spec.h"
#include "api/wire/values.h"

namespace api::wire {

namespace base = engine::base;
namespace model = engine::model;

namespace {

constexpr int kResultsMax = 100'000;

void ToWire(const model::RunContext& context, pb::AssignedContext* out) {
  out->set_event(context.event);
  out->set_commit(context.commit);
  out->set_branch(context.branch);
  out->set_tag(context.tag);
  out->set_by(context.by);
  out->set_source(context.source);
  out->set_pipeline_file(context.pipeline_file);
  out->set_tree(context.tree);
  out->set_workspace(context.workspace);
  wire::ToWire(context.inputs, out->mutable_inputs());
  wire::ToWire(context.event_data, out->mutable_event_data());
  wire::ToWire(context.extra_env, out->mutable_extra_env());
  out->set_seed(context.seed);
  out->set_default_branch(context.default_branch);
}

std::shared_ptr<const model::RunContext> ContextFrom(const pb::AssignedContext& context) {
  auto out = std::make_shared<model::RunContext>();
  out->event = context.event();
  out->commit = context.commit();
  out->branch = context.branch();
  out->tag = context.tag();
  out->by = context.by();
  out->source = context.source();
  out->pipeline_file = context.pipeline_file();
  out->tree = context.tree();
  out->workspace = context.workspace();
  out->inputs = NamedValuesFrom(context.inputs());
  out->event_data = NamedValuesFrom(context.event_data());
  out->extra_env = NamedValuesFrom(context.extra_env());
  out->seed = context.seed();
  out->default_branch = context.default_branch();
  return out;
}

void ToWire(const model::JobResult& result, pb::NeededResult* out) {
  out->set_status(wire::ToWire(result.status));
  wire::ToWire(result.reason, out->mutable_reason());
  wire::ToWire(result.outputs, out->mutable_outputs());
  wire::ToWire(result.spilled, out->mutable_spilled());
  for (const model::Artifact& artifact : result.artifacts) {
    wire::ToWire(artifact, out->add_artifacts());
  }
}

base::StatusOr<std::shared_ptr<const model::JobResult>> ResultFrom(const pb::NeededResult& result) {
  auto out = std::make_shared<model::JobResult>();
  ASSIGN_OR_RETURN(out->status, StatusFrom(result.status(), "status"));
  auto reason = ReasonFrom(result.reason());
  RETURN_IF_ERROR(Inside("reason", reason.status()));
  out->reason = *std::move(reason);
  out->outputs = NamedValuesFrom(result.outputs());
  ASSIGN_OR_RETURN(out->spilled, SpilledFrom(result.spilled()));
  for (int i = 0; i < result.artifacts_size(); ++i) {
    auto artifact = ArtifactFrom(result.artifacts(i));
    RETURN_IF_ERROR(Inside("artifacts", i, artifact.status()));
    out->artifacts.push_back(*std::move(artifact));
  }
  return std::shared_ptr<const model::JobResult>(std::move(out));
}

// Needs the job does not mention are nothing it could ask for.
void PutNeeds(const model::JobSpec& job, const std::vector<model::NeedResult>& needs,
              pb::Assignment* out) {
  std::map<model::SpecIndex, std::uint32_t> first;
  for (std::uint32_t i = 0; i < job.needs.size(); ++i) {
    first.emplace(job.needs[i].spec, i);
  }
  for (const model::NeedResult& need : needs) {
    const auto place = first.find(need.spec);
    if (place == first.end()) {
      continue;
    }
    pb::NeedOutcome* entry = out->add_needs();
    entry->set_need(place->second);
    entry->set_status(wire::ToWire(need.status));
    for (const auto& result : need.results) {
      ToWire(*result, entry->add_results());
    }
  }
}

base::StatusOr<model::NeedResult> NeedFrom(const model::JobSpec& job, const pb::NeedOutcome& need) {
  if (need.need() >= job.needs.size()) {
    return BadField("need", "the job has no such need");
  }
  if (need.results_size() > kResultsMax) {
    return BadField("results", "are too many");
  }
  model::NeedResult out{.spec = job.needs[need.need()].spec, .results = {}};
  ASSIGN_OR_RETURN(out.status, StatusFrom(need.status(), "status"));
  for (int i = 0; i < need.results_size(); ++i) {
    auto result = ResultFrom(need.results(i));
    RETURN_IF_ERROR(Inside("results", i, result.status()));
    out.results.push_back(*std::move(result));
  }
  return out;
}

}  // namespace

void ToWire(const model::Assignment& assignment, pb::Assignment* out) {
  ToWire(assignment.lease.key, out->mutable_attempt());
  JobToWire(*assignment.plan, assignment.job, out->mutable_job());
  ToWire(*assignment.context, out->mutable_context());
  if (assignment.run_env != nullptr) {
    ToWire(*assignment.run_env, out->mutable_run_env());
  }
  ToWire(assignment.job_env, out->mutable_job_env());
  PutNeeds(model::SpecOf(*assignment.plan, assignment.job), assignment.needs, out);
  out->set_timeout_us(assignment.timeout.count());
  out->set_grace_us(assignment.grace.count());
  out->set_finally_budget_us(assignment.finally_budget.count());
  out->set_run_cancelled(assignment.run_cancelled);
  out->set_effect_may_be_done(assignment.effect_may_be_done);
  if (assignment.approval) {
    out->mutable_approval()->set_by(assignment.approval->by);
    wire::ToWire(assignment.approval->inputs, out->mutable_approval()->mutable_inputs());
  }
}

base::StatusOr<model::Assignment> AssignmentFrom(const pb::Assignment& assignment) {
  model::Assignment out;
  auto key = AttemptKeyFrom(assignment.attempt());
  RETURN_IF_ERROR(Inside("attempt", key.status()));
  out.lease.key = *key;
  auto plan = PlanFrom(assignment.job());
  RETURN_IF_ERROR(Inside("job", plan.status()));
  out.plan = std::make_shared<const model::Plan>(*std::move(plan));
  out.job = model::JobIndex(0);
  out.context = ContextFrom(assignment.context());
  out.run_env =
      std::make_shared<const std::vector<model::NamedValue>>(NamedValuesFrom(assignment.run_env()));
  out.job_env = NamedValuesFrom(assignment.job_env());
  for (int i = 0; i < assignment.needs_size(); ++i) {
    auto need = NeedFrom(out.plan->specs[0], assignment.needs(i));
    RETURN_IF_ERROR(Inside("needs", i, need.status()));
    out.needs.push_back(*std::move(need));
  }
  ASSIGN_OR_RETURN(out.timeout, DurationFrom(assignment.timeout_us(), "timeout_us"));
  ASSIGN_OR_RETURN(out.grace, DurationFrom(assignment.grace_us(), "grace_us"));
  ASSIGN_OR_RETURN(out.finally_budget,
                   DurationFrom(assignment.finally_budget_us(), "finally_budget_us"));
  out.run_cancelled = assignment.run_cancelled();
  out.effect_may_be_done = assignment.effect_may_be_done();
  if (assignment.has_approval()) {
    out.approval = {.by = assignment.approval().by(),
                    .inputs = NamedValuesFrom(assignment.approval().inputs())};
  }
  return out;
}

}  // namespace api::wire
