// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>

#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>

#include "engine/base/digest.h"
#include "store/codec/envelope.h"
#include "store/codec/place.h"
#include "store/codec/plan.pb.h"
#include "store/codec/plan_codec.h"

namespace store::codec {
namespace {

namespace model = engine::model;
using google::protobuf::RepeatedPtrField;

void Put(const model::SourcePosition& at, pb::Position* out) {
  out->set_file(at.file);
  out->set_line(at.line);
  out->set_column(at.column);
}

// A position that says nothing is left out; so is every message that has only defaults.
template <typename Message>
void PutAt(const model::SourcePosition& at, Message* out) {
  if (at != model::SourcePosition{}) {
    Put(at, out->mutable_at());
  }
}

void Put(const model::Template& text, pb::Template* out) {
  out->set_text(text.text);
  PutAt(text.at, out);
  out->set_has_expression(text.has_expression);
}

void Put(const model::Condition& condition, pb::Condition* out) {
  out->set_text(condition.text);
  PutAt(condition.at, out);
  out->set_decides_alone(condition.decides_alone);
}

void Put(const std::vector<std::string>& texts, RepeatedPtrField<std::string>* out) {
  out->Reserve(static_cast<int>(texts.size()));
  for (const std::string& text : texts) {
    *out->Add() = text;
  }
}

void Put(const std::vector<model::EnvVar>& vars, RepeatedPtrField<pb::EnvVar>* out) {
  for (const model::EnvVar& var : vars) {
    pb::EnvVar* entry = out->Add();
    entry->set_name(var.name);
    if (var.value != model::Template{}) {
      Put(var.value, entry->mutable_value());
    }
  }
}

void Put(const model::InputSpec& input, pb::InputSpec* out) {
  out->set_name(input.name);
  out->set_type(static_cast<std::uint32_t>(input.type));
  out->set_required(input.required);
  if (input.default_value) {
    out->set_default_value(*input.default_value);
  }
  Put(input.options, out->mutable_options());
  out->set_pattern(input.pattern);
  out->set_description(input.description);
  PutAt(input.at, out);
}

void Put(const model::StepSpec& step, pb::StepSpec* out) {
  out->set_id(step.id);
  out->set_name(step.name);
  if (step.run != model::Template{}) {
    Put(step.run, out->mutable_run());
  }
  out->set_shell(step.shell);
  if (step.workdir != model::Template{}) {
    Put(step.workdir, out->mutable_workdir());
  }
  Put(step.env, out->mutable_env());
  if (step.condition != model::Condition{}) {
    Put(step.condition, out->mutable_condition());
  }
  out->set_timeout(step.timeout.count());
  out->set_continue_on_error(step.continue_on_error);
  Put(step.argv, out->mutable_argv());
  out->set_effects_once(step.effects_once);
  if (step.effect_check != model::Template{}) {
    Put(step.effect_check, out->mutable_effect_check());
  }
  out->set_background(step.background);
}

void Put(const model::ReadySpec& ready, pb::ReadySpec* out) {
  out->set_tcp(ready.tcp);
  if (ready.http != model::Template{}) {
    Put(ready.http, out->mutable_http());
  }
  if (ready.command != model::Template{}) {
    Put(ready.command, out->mutable_command());
  }
  out->set_log(ready.log);
  out->set_timeout(ready.timeout.count());
  if (ready.image != model::Template{}) {
    Put(ready.image, out->mutable_image());
  }
}

void Put(const model::PlaceSpec& place, pb::PlaceSpec* out) {
  PutLabels(place.need.labels, out->mutable_labels());
  if (place.need.resources != model::Resources()) {
    PutResources(place.need.resources, out->mutable_resources());
  }
  out->set_sandbox(static_cast<std::uint32_t>(place.need.sandbox));
  out->set_network(static_cast<std::uint32_t>(place.need.network));
  out->set_service_images(place.need.service_images);
  if (place.image != model::Template{}) {
    Put(place.image, out->mutable_image());
  }
  PutAt(place.at, out);
}

void Put(const std::vector<model::StepSpec>& steps, RepeatedPtrField<pb::StepSpec>* out) {
  for (const model::StepSpec& step : steps) {
    Put(step, out->Add());
  }
}

void Put(const model::RetrySpec& retry, pb::RetrySpec* out) {
  const model::RetrySpec defaults;
  out->set_max(retry.max);
  if (retry.initial != defaults.initial) {
    out->set_initial(retry.initial.count());
  }
  if (retry.factor != defaults.factor) {
    out->set_factor(retry.factor);
  }
  if (retry.longest != defaults.longest) {
    out->set_longest(retry.longest.count());
  }
  if (retry.jitter != defaults.jitter) {
    out->set_jitter(retry.jitter);
  }
  out->set_on(retry.on);
  out->mutable_exit_codes()->Add(retry.exit_codes.begin(), retry.exit_codes.end());
}

void Put(const model::AllowFailure& allow, pb::AllowFailure* out) {
  out->set_any(allow.any);
  out->mutable_exit_codes()->Add(allow.exit_codes.begin(), allow.exit_codes.end());
}

void Put(const model::CheckoutSpec& checkout, pb::CheckoutSpec* out) {
  out->set_disabled(!checkout.enabled);
  out->set_depth(checkout.depth);
  out->set_submodules(checkout.submodules);
  out->set_lfs(checkout.lfs);
}

void Put(const model::ConcurrencySpec& concurrency, pb::ConcurrencySpec* out) {
  Put(concurrency.group, out->mutable_group());
  out->set_more(concurrency.max - 1);
  out->set_policy(static_cast<std::uint32_t>(concurrency.policy));
}

void Put(const model::ApprovalSpec& approval, pb::ApprovalSpec* out) {
  Put(approval.approvers, out->mutable_approvers());
  out->set_timeout(approval.timeout.count());
  for (const model::InputSpec& input : approval.inputs) {
    Put(input, out->add_inputs());
  }
}

void Put(const model::EnvironmentSpec& environment, pb::EnvironmentSpec* out) {
  Put(environment.name, out->mutable_name());
  if (environment.url != model::Template{}) {
    Put(environment.url, out->mutable_url());
  }
}

void Put(const model::CacheSpec& cache, pb::CacheSpec* out) {
  Put(cache.key, out->mutable_key());
  for (const model::Template& key : cache.restore_keys) {
    Put(key, out->add_restore_keys());
  }
  Put(cache.paths, out->mutable_paths());
}

void PutCoordination(const model::RareJobSettings& rare, pb::RareJobSettings* out) {
  out->set_delay(rare.delay.count());
  out->set_uploads_when(static_cast<std::uint32_t>(rare.uploads_when));
  for (const model::ConcurrencySpec& concurrency : rare.concurrency) {
    Put(concurrency, out->add_concurrency());
  }
  if (rare.approval) {
    Put(*rare.approval, out->mutable_approval());
  }
  if (rare.environment) {
    Put(*rare.environment, out->mutable_environment());
  }
  out->set_overlap_never(rare.overlap_never);
  for (const std::vector<model::JobIndex>& cells : rare.need_cells) {
    pb::JobList* list = out->add_need_cells();
    for (const model::JobIndex cell : cells) {
      list->add_jobs(cell.value());
    }
  }
}

void Put(const model::RareJobSettings& rare, pb::RareJobSettings* out) {
  const model::RareJobSettings defaults;
  if (rare.retry != defaults.retry) {
    Put(rare.retry, out->mutable_retry());
  }
  if (rare.allow_failure != defaults.allow_failure) {
    Put(rare.allow_failure, out->mutable_allow_failure());
  }
  Put(rare.outputs, out->mutable_outputs());
  Put(rare.engine_outputs, out->mutable_engine_outputs());
  for (const model::ArtifactUpload& upload : rare.uploads) {
    pb::ArtifactUpload* entry = out->add_uploads();
    entry->set_name(upload.name);
    Put(upload.paths, entry->mutable_paths());
    PutAt(upload.at, entry);
  }
  for (const std::vector<std::string>& names : rare.need_artifacts) {
    Put(names, out->add_need_artifacts()->mutable_names());
  }
  Put(rare.finally_steps, out->mutable_finally_steps());
  if (rare.checkout != defaults.checkout) {
    Put(rare.checkout, out->mutable_checkout());
  }
  out->set_queue_timeout(rare.queue_timeout.count());
  out->set_log_limit(rare.log_limit);
  out->set_pool(rare.pool);
  out->set_artifacts_expire(rare.artifacts_expire.count());
  Put(rare.junit_reports, out->mutable_junit_reports());
  for (const model::CacheSpec& cache : rare.caches) {
    Put(cache, out->add_caches());
  }
  Put(rare.reuse_inputs, out->mutable_reuse_inputs());
  for (const model::ReadySpec& ready : rare.services) {
    Put(ready, out->add_services());
  }
  if (rare.place) {
    Put(*rare.place, out->mutable_place());
  }
  PutCoordination(rare, out);
}

void Put(const model::MatrixSpec& matrix, pb::MatrixSpec* out) {
  Put(matrix.keys, out->mutable_keys());
  out->set_max_parallel(matrix.max_parallel);
  out->set_no_fail_fast(!matrix.fail_fast);
  out->set_first_cell(matrix.first_cell.value());
  out->set_cell_count(matrix.cell_count);
  if (matrix.each.has_value()) {
    out->mutable_each()->set_list(matrix.each->list);
    Put(matrix.each->at, out->mutable_each()->mutable_at());
    out->mutable_each()->set_second_cell(matrix.each->second_cell.value());
  }
}

bool IsPlain(const model::Need& need) {
  return need.on == model::NeedOn::kSuccess && !need.optional && need.artifacts == 0 &&
         need.cells == 0;
}

void PutNeeds(const std::vector<model::Need>& needs, pb::JobSpec* out) {
  if (std::all_of(needs.begin(), needs.end(), IsPlain)) {
    out->mutable_plain_needs()->Reserve(static_cast<int>(needs.size()));
    std::int64_t last = 0;
    for (const model::Need& need : needs) {
      const auto spec = static_cast<std::int64_t>(need.spec.value());
      out->add_plain_needs(spec - last);
      last = spec;
    }
    return;
  }
  for (const model::Need& need : needs) {
    pb::Need* entry = out->add_needs();
    entry->set_spec(need.spec.value());
    entry->set_on(static_cast<std::uint32_t>(need.on));
    entry->set_optional(need.optional);
    entry->set_artifacts(need.artifacts);
    entry->set_cells(need.cells);
  }
}

void Put(const model::JobSpec& spec, pb::JobSpec* out) {
  out->set_name(spec.name);
  out->set_stage(spec.stage + 1);  // `kNoStage` wraps to 0
  out->set_has_needs(spec.has_needs);
  out->set_priority(spec.priority);
  PutNeeds(spec.needs, out);
  if (spec.condition != model::Condition{}) {
    Put(spec.condition, out->mutable_condition());
  }
  Put(spec.env, out->mutable_env());
  Put(spec.steps, out->mutable_steps());
  out->set_timeout(spec.timeout.count());
  if (spec.matrix != nullptr) {
    Put(*spec.matrix, out->mutable_matrix());
  }
  // Settings that are all defaults mean the same as none, and must not change the digest.
  if (spec.rare != nullptr && *spec.rare != model::RareJobSettings{}) {
    Put(*spec.rare, out->mutable_rare());
  }
  PutAt(spec.at, out);
}

void Put(const model::EventFilter& filter, pb::EventFilter* out) {
  Put(filter.branches, out->mutable_branches());
  Put(filter.branches_ignore, out->mutable_branches_ignore());
  Put(filter.tags, out->mutable_tags());
  Put(filter.tags_ignore, out->mutable_tags_ignore());
  Put(filter.paths, out->mutable_paths());
  Put(filter.paths_ignore, out->mutable_paths_ignore());
}

void Put(const model::Triggers& on, pb::Triggers* out) {
  if (on.push) {
    Put(*on.push, out->mutable_push());
  }
  if (on.pull_request) {
    Put(*on.pull_request, out->mutable_pull_request());
  }
  if (on.tag) {
    Put(*on.tag, out->mutable_tag());
  }
  for (const model::ScheduleSpec& schedule : on.schedule) {
    pb::ScheduleSpec* entry = out->add_schedule();
    entry->set_cron(schedule.cron);
    entry->set_timezone(schedule.timezone);
  }
  out->set_not_manual(!on.manual);
  out->set_webhook(on.webhook);
  Put(on.run, out->mutable_run());
}

// All but the jobs.
void PutDocument(const model::Plan& plan, pb::Plan* out) {
  out->set_name(plan.name);
  Put(plan.files, out->mutable_files());
  if (plan.on != model::Triggers{}) {
    Put(plan.on, out->mutable_on());
  }
  for (const model::InputSpec& input : plan.inputs) {
    Put(input, out->add_inputs());
  }
  Put(plan.env, out->mutable_env());
  out->set_timeout(plan.timeout.count());
  if (plan.concurrency) {
    Put(*plan.concurrency, out->mutable_concurrency());
  }
  for (const model::StageSpec& stage : plan.stages) {
    pb::StageSpec* entry = out->add_stages();
    entry->set_name(stage.name);
    PutAt(stage.at, entry);
  }
}

// Writes one message after the other, as elements of a repeated field of `pb::Plan`. The message is
// reused: what a hundred thousand jobs need is allocated once.
template <typename Message>
class ElementWriter {
 public:
  ElementWriter(int field, std::string& out)
      : tag_(static_cast<std::uint32_t>(field) << 3 | 2), out_(out) {}
  Message& Fresh() {
    message_.Clear();
    return message_;
  }
  void Append() {
    using google::protobuf::io::CodedOutputStream;
    const std::size_t size = message_.ByteSizeLong();
    std::array<std::uint8_t, 10> front;
    std::uint8_t* end = CodedOutputStream::WriteVarint32ToArray(tag_, front.data());
    end = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(size), end);
    out_.append(reinterpret_cast<const char*>(front.data()),
                static_cast<std::size_t>(end - front.data()));
    const std::size_t start = out_.size();
    out_.resize(start + size);
    message_.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out_.data() + start));
  }

 private:
  std::uint32_t tag_;
  std::string& out_;
  Message message_;
};

}  // namespace

std::string EncodePlan(const model::Plan& plan) {
  std::string out(1, static_cast<char>(kPlanVersion));
  pb::Plan document;
  PutDocument(plan, &document);
  document.AppendToString(&out);

  ElementWriter<pb::JobSpec> specs(pb::Plan::kSpecsFieldNumber, out);
  for (const model::JobSpec& spec : plan.specs) {
    Put(spec, &specs.Fresh());
    specs.Append();
  }
  ElementWriter<pb::PlannedJob> jobs(pb::Plan::kJobsFieldNumber, out);
  std::int64_t next = 0;
  for (const model::PlannedJob& job : plan.jobs) {
    pb::PlannedJob& entry = jobs.Fresh();
    const auto spec = static_cast<std::int64_t>(job.spec.value());
    entry.set_spec_skip(spec - next);
    next = spec + 1;
    Put(job.cell, entry.mutable_cell());
    jobs.Append();
  }
  return out;
}

std::string_view BytesOf(const model::PlanDigest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

model::PlanDigest DigestFrom(std::string_view bytes) {
  model::PlanDigest digest;
  std::copy_n(bytes.begin(), std::min(bytes.size(), digest.bytes.size()), digest.bytes.begin());
  return digest;
}

model::PlanDigest DigestOfBytes(std::string_view encoded_plan) {
  return engine::base::Sha256(encoded_plan);
}

model::PlanDigest DigestOf(const model::Plan& plan) {
  return DigestOfBytes(EncodePlan(plan));
}

}  // namespace store::codec
