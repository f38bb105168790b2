// SPDX-License-Identifier: Apache-2.0
#include "api/wire/job_spec.h"

#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/wire/values.h"

namespace api::wire {

namespace base = engine::base;
namespace model = engine::model;

namespace {

using Texts = google::protobuf::RepeatedPtrField<std::string>;

constexpr int kStepsMax = 10'000;
constexpr int kNeedsMax = 200'000;

void Put(const std::vector<std::string>& texts, Texts* out) {
  for (const std::string& text : texts) {
    out->Add(std::string(text));
  }
}
std::vector<std::string> TextsFrom(const Texts& texts) {
  return {texts.begin(), texts.end()};
}

// A place that says nothing is left out.
template <typename Message>
void PutAt(const model::SourcePosition& at, Message* out) {
  if (at != model::SourcePosition{}) {
    pb::SourcePosition* entry = out->mutable_at();
    entry->set_file(at.file);
    entry->set_line(at.line);
    entry->set_column(at.column);
  }
}
model::SourcePosition PositionFrom(const pb::SourcePosition& at) {
  return {.file = at.file(), .line = at.line(), .column = at.column()};
}

void Put(const model::Template& text, pb::Template* out) {
  out->set_text(text.text);
  PutAt(text.at, out);
  out->set_has_expression(text.has_expression);
}
model::Template TemplateFrom(const pb::Template& text) {
  return {
      .text = text.text(), .at = PositionFrom(text.at()), .has_expression = text.has_expression()};
}

template <typename Repeated>
void Put(const std::vector<model::EnvVar>& variables, Repeated* out) {
  for (const model::EnvVar& variable : variables) {
    pb::EnvVar* entry = out->Add();
    entry->set_name(variable.name);
    Put(variable.value, entry->mutable_value());
  }
}
template <typename Repeated>
std::vector<model::EnvVar> EnvFrom(const Repeated& variables) {
  std::vector<model::EnvVar> out;
  for (const pb::EnvVar& variable : variables) {
    out.push_back({.name = variable.name(), .value = TemplateFrom(variable.value())});
  }
  return out;
}

// ---- steps

void Put(const model::StepSpec& step, pb::AssignedStep* out) {
  out->set_id(step.id);
  out->set_name(step.name);
  Put(step.run, out->mutable_run());
  out->set_shell(step.shell);
  if (step.workdir != model::Template{}) {
    Put(step.workdir, out->mutable_workdir());
  }
  Put(step.env, out->mutable_env());
  if (step.condition != model::Condition{}) {
    pb::Condition* condition = out->mutable_condition();
    condition->set_text(step.condition.text);
    PutAt(step.condition.at, condition);
    condition->set_decides_alone(step.condition.decides_alone);
  }
  out->set_timeout_us(step.timeout.count());
  out->set_continue_on_error(step.continue_on_error);
  Put(step.argv, out->mutable_argv());
  out->set_effects_once(step.effects_once);
  if (step.effect_check != model::Template{}) {
    Put(step.effect_check, out->mutable_effect_check());
  }
  out->set_background(step.background);
}

base::StatusOr<model::StepSpec> StepFrom(const pb::AssignedStep& step) {
  model::StepSpec out;
  out.id = step.id();
  out.name = step.name();
  out.run = TemplateFrom(step.run());
  out.shell = step.shell();
  out.workdir = TemplateFrom(step.workdir());
  out.env = EnvFrom(step.env());
  out.condition = {.text = step.condition().text(),
                   .at = PositionFrom(step.condition().at()),
                   .decides_alone = step.condition().decides_alone()};
  ASSIGN_OR_RETURN(out.timeout, DurationFrom(step.timeout_us(), "timeout_us"));
  out.continue_on_error = step.continue_on_error();
  out.argv = TextsFrom(step.argv());
  out.effects_once = step.effects_once();
  out.effect_check = TemplateFrom(step.effect_check());
  out.background = step.background();
  return out;
}

template <typename Repeated>
base::StatusOr<std::vector<model::StepSpec>> StepsFrom(const Repeated& steps,
                                                       std::string_view field) {
  if (steps.size() > kStepsMax) {
    return BadField(field, "are too many");
  }
  std::vector<model::StepSpec> out;
  for (int i = 0; i < steps.size(); ++i) {
    auto step = StepFrom(steps.Get(i));
    RETURN_IF_ERROR(Inside(field, i, step.status()));
    out.push_back(*std::move(step));
  }
  return out;
}

// ---- needs

// The numbers are the model's.
base::StatusOr<model::NeedOn> NeedOnFrom(pb::AssignedNeed::On on) {
  if (on < pb::AssignedNeed::SUCCESS || on > pb::AssignedNeed::END) {
    return BadField("on", "is none of success, failure, end");
  }
  return static_cast<model::NeedOn>(on);
}

using SpecNames = std::map<std::string_view, model::SpecIndex>;

// Adds the need's name to the plan when it is new there.
base::Status AddNeed(const pb::AssignedNeed& need, std::size_t sets, SpecNames& names,
                     model::Plan& plan) {
  if (need.job().empty()) {
    return BadField("job", "is missing");
  }
  if (need.artifacts() > sets + 1 || need.artifacts() > std::numeric_limits<std::uint16_t>::max()) {
    return BadField("artifacts", "there is no such set of names");
  }
  model::Need out;
  ASSIGN_OR_RETURN(out.on, NeedOnFrom(need.on()));
  const auto [named, is_new] =
      names.emplace(need.job(), model::SpecIndex(static_cast<std::uint32_t>(plan.specs.size())));
  if (is_new) {
    plan.specs.emplace_back().name = need.job();
  }
  out.spec = named->second;
  out.optional = need.optional();
  out.artifacts = static_cast<std::uint16_t>(need.artifacts());
  plan.specs[0].needs.push_back(out);
  return base::OkStatus();
}

base::Status AddNeeds(const pb::AssignedJob& job, model::Plan& plan) {
  if (job.needs_size() > kNeedsMax) {
    return BadField("needs", "are too many");
  }
  const auto sets = static_cast<std::size_t>(job.need_artifacts_size());
  SpecNames names;
  for (int i = 0; i < job.needs_size(); ++i) {
    RETURN_IF_ERROR(Inside("needs", i, AddNeed(job.needs(i), sets, names, plan)));
  }
  plan.specs[0].has_needs = job.needs_size() > 0;
  return base::OkStatus();
}

// ---- what few jobs set

void PutRare(const model::RareJobSettings& rare, pb::AssignedJob* out) {
  for (const model::StepSpec& step : rare.finally_steps) {
    Put(step, out->add_finally_steps());
  }
  Put(rare.outputs, out->mutable_outputs());
  Put(rare.engine_outputs, out->mutable_engine_outputs());
  for (const model::ArtifactUpload& upload : rare.uploads) {
    pb::AssignedUpload* entry = out->add_uploads();
    entry->set_name(upload.name);
    Put(upload.paths, entry->mutable_paths());
    PutAt(upload.at, entry);
  }
  for (const std::vector<std::string>& names : rare.need_artifacts) {
    Put(names, out->add_need_artifacts()->mutable_names());
  }
  if (rare.checkout != model::CheckoutSpec{}) {
    out->mutable_checkout()->set_disabled(!rare.checkout.enabled);
    out->mutable_checkout()->set_depth(rare.checkout.depth);
    out->mutable_checkout()->set_submodules(rare.checkout.submodules);
    out->mutable_checkout()->set_lfs(rare.checkout.lfs);
  }
  out->set_log_limit(rare.log_limit);
  out->set_uploads_when(static_cast<pb::AssignedJob::UploadWhen>(rare.uploads_when));
  Put(rare.junit_reports, out->mutable_junit_reports());
  for (const model::CacheSpec& cache : rare.caches) {
    pb::AssignedCache* entry = out->add_caches();
    Put(cache.key, entry->mutable_key());
    for (const model::Template& key : cache.restore_keys) {
      Put(key, entry->add_restore_keys());
    }
    Put(cache.paths, entry->mutable_paths());
  }
  Put(rare.reuse_inputs, out->mutable_reuse_inputs());
  for (const model::ReadySpec& ready : rare.services) {
    pb::AssignedService* entry = out->add_services();
    entry->set_tcp(ready.tcp);
    Put(ready.http, entry->mutable_http());
    Put(ready.command, entry->mutable_command());
    entry->set_log(ready.log);
    entry->set_timeout_us(ready.timeout.count());
    Put(ready.image, entry->mutable_image());
  }
}

base::Status AddServices(const pb::AssignedJob& job, std::vector<model::ReadySpec>& out) {
  if (job.services_size() > job.steps_size()) {
    return BadField("services", "are more than the steps");
  }
  for (const pb::AssignedService& service : job.services()) {
    if (service.tcp() > 65'535) {
      return BadField("services.tcp", "is no port");
    }
    model::ReadySpec& ready = out.emplace_back();
    ready = {.tcp = service.tcp(),
             .http = TemplateFrom(service.http()),
             .command = TemplateFrom(service.command()),
             .log = service.log(),
             .timeout = {},
             .image = TemplateFrom(service.image())};
    ASSIGN_OR_RETURN(ready.timeout, DurationFrom(service.timeout_us(), "services.timeout_us"));
  }
  return base::OkStatus();
}

base::StatusOr<std::unique_ptr<model::RareJobSettings>> RareFrom(const pb::AssignedJob& job) {
  auto out = std::make_unique<model::RareJobSettings>();
  ASSIGN_OR_RETURN(out->finally_steps, StepsFrom(job.finally_steps(), "finally_steps"));
  out->outputs = EnvFrom(job.outputs());
  out->engine_outputs = TextsFrom(job.engine_outputs());
  for (const pb::AssignedUpload& upload : job.uploads()) {
    out->uploads.push_back({.name = upload.name(),
                            .paths = TextsFrom(upload.paths()),
                            .at = PositionFrom(upload.at())});
  }
  for (const pb::NeedArtifacts& names : job.need_artifacts()) {
    out->need_artifacts.push_back(TextsFrom(names.names()));
  }
  out->checkout = {.enabled = !job.checkout().disabled(),
                   .depth = job.checkout().depth(),
                   .submodules = job.checkout().submodules(),
                   .lfs = job.checkout().lfs()};
  out->log_limit = job.log_limit();
  if (job.uploads_when() < pb::AssignedJob::AFTER_SUCCESS ||
      job.uploads_when() > pb::AssignedJob::ALWAYS) {
    return BadField("uploads_when", "is none of success, failure, always");
  }
  out->uploads_when = static_cast<model::UploadWhen>(job.uploads_when());
  out->junit_reports = TextsFrom(job.junit_reports());
  for (const pb::AssignedCache& cache : job.caches()) {
    model::CacheSpec& entry = out->caches.emplace_back();
    entry = {
        .key = TemplateFrom(cache.key()), .restore_keys = {}, .paths = TextsFrom(cache.paths())};
    for (const pb::Template& key : cache.restore_keys()) {
      entry.restore_keys.push_back(TemplateFrom(key));
    }
  }
  out->reuse_inputs = TextsFrom(job.reuse_inputs());
  RETURN_IF_ERROR(AddServices(job, out->services));
  if (*out == model::RareJobSettings{}) {
    out.reset();
  }
  return out;
}

base::Status FillMatrix(const pb::AssignedJob& job, model::Plan& plan) {
  if (job.cell_size() > job.matrix_keys_size()) {
    return BadField("cell", "has more values than the matrix has keys");
  }
  if (!job.has_matrix() && job.matrix_keys_size() > 0) {
    return BadField("matrix_keys", "belong to a matrix");
  }
  if (!job.has_matrix() && job.for_each()) {
    return BadField("for_each", "belongs to a matrix");
  }
  if (job.has_matrix()) {
    plan.specs[0].matrix = std::make_unique<model::MatrixSpec>();
    plan.specs[0].matrix->keys = TextsFrom(job.matrix_keys());
    plan.specs[0].matrix->cell_count = 1;
    if (job.for_each()) {
      plan.specs[0].matrix->each.emplace();
    }
  }
  plan.jobs.push_back({.spec = model::SpecIndex(0), .cell = TextsFrom(job.cell())});
  return base::OkStatus();
}

}  // namespace

void JobToWire(const model::Plan& plan, model::JobIndex job, pb::AssignedJob* out) {
  const model::JobSpec& spec = model::SpecOf(plan, job);
  out->set_pipeline(plan.name);
  Put(plan.files, out->mutable_files());
  out->set_name(spec.name);
  out->set_has_matrix(spec.matrix != nullptr);
  if (spec.matrix != nullptr) {
    out->set_for_each(spec.matrix->each.has_value());
    Put(spec.matrix->keys, out->mutable_matrix_keys());
  }
  Put(plan.jobs[base::AsIndex(job)].cell, out->mutable_cell());
  for (const model::Need& need : spec.needs) {
    pb::AssignedNeed* entry = out->add_needs();
    entry->set_job(plan.specs[base::AsIndex(need.spec)].name);
    entry->set_on(static_cast<pb::AssignedNeed::On>(need.on));
    entry->set_optional(need.optional);
    entry->set_artifacts(need.artifacts);
  }
  Put(spec.env, out->mutable_env());
  for (const model::StepSpec& step : spec.steps) {
    Put(step, out->add_steps());
  }
  PutRare(model::RareOf(spec), out);
  PutAt(spec.at, out);
}

base::StatusOr<model::Plan> PlanFrom(const pb::AssignedJob& job) {
  if (job.name().empty()) {
    return BadField("name", "is missing");
  }
  model::Plan plan;
  plan.name = job.pipeline();
  plan.files = TextsFrom(job.files());
  plan.specs.emplace_back().name = job.name();
  RETURN_IF_ERROR(AddNeeds(job, plan));
  RETURN_IF_ERROR(FillMatrix(job, plan));
  model::JobSpec& spec = plan.specs[0];
  spec.env = EnvFrom(job.env());
  ASSIGN_OR_RETURN(spec.steps, StepsFrom(job.steps(), "steps"));
  ASSIGN_OR_RETURN(spec.rare, RareFrom(job));
  spec.at = PositionFrom(job.at());
  return plan;
}

}  // namespace api::wire
