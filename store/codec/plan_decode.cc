// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>

#include <google/protobuf/io/coded_stream.h>

#include "store/codec/envelope.h"
#include "store/codec/place.h"
#include "store/codec/plan.pb.h"
#include "store/codec/plan_codec.h"

namespace store::codec {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using base::DataLoss;
using base::Status;
using google::protobuf::RepeatedPtrField;

model::SourcePosition Get(const pb::Position& at) {
  return {at.file(), at.line(), at.column()};
}

model::Template Get(const pb::Template& text) {
  return {text.text(), Get(text.at()), text.has_expression()};
}

model::Condition Get(const pb::Condition& condition) {
  return {condition.text(), Get(condition.at()), condition.decides_alone()};
}

std::vector<std::string> Get(const RepeatedPtrField<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

std::vector<model::EnvVar> Get(const RepeatedPtrField<pb::EnvVar>& vars) {
  std::vector<model::EnvVar> out;
  out.reserve(static_cast<std::size_t>(vars.size()));
  for (const pb::EnvVar& var : vars) {
    out.push_back({var.name(), Get(var.value())});
  }
  return out;
}

model::InputSpec Get(const pb::InputSpec& input) {
  model::InputSpec out;
  out.name = input.name();
  out.type = static_cast<model::InputType>(input.type());
  out.required = input.required();
  if (input.has_default_value()) {
    out.default_value = input.default_value();
  }
  out.options = Get(input.options());
  out.pattern = input.pattern();
  out.description = input.description();
  out.at = Get(input.at());
  return out;
}

std::vector<model::StepSpec> Get(const RepeatedPtrField<pb::StepSpec>& steps) {
  std::vector<model::StepSpec> out;
  out.reserve(static_cast<std::size_t>(steps.size()));
  for (const pb::StepSpec& step : steps) {
    model::StepSpec& entry = out.emplace_back();
    entry.id = step.id();
    entry.name = step.name();
    entry.run = Get(step.run());
    entry.shell = step.shell();
    entry.workdir = Get(step.workdir());
    entry.env = Get(step.env());
    entry.condition = Get(step.condition());
    entry.timeout = base::Duration(step.timeout());
    entry.continue_on_error = step.continue_on_error();
    entry.argv = Get(step.argv());
    entry.effects_once = step.effects_once();
    entry.effect_check = Get(step.effect_check());
    entry.background = step.background();
  }
  return out;
}

model::RetrySpec Get(const pb::RetrySpec& retry) {
  model::RetrySpec out;
  out.max = retry.max();
  if (retry.has_initial()) {
    out.initial = base::Duration(retry.initial());
  }
  if (retry.has_factor()) {
    out.factor = retry.factor();
  }
  if (retry.has_longest()) {
    out.longest = base::Duration(retry.longest());
  }
  if (retry.has_jitter()) {
    out.jitter = retry.jitter();
  }
  out.on = static_cast<std::uint8_t>(retry.on());
  out.exit_codes.assign(retry.exit_codes().begin(), retry.exit_codes().end());
  return out;
}

model::ConcurrencySpec Get(const pb::ConcurrencySpec& concurrency) {
  return {.group = Get(concurrency.group()),
          .max = concurrency.more() + 1,
          .policy = static_cast<model::GroupPolicy>(concurrency.policy())};
}

model::ApprovalSpec Get(const pb::ApprovalSpec& approval) {
  model::ApprovalSpec out;
  out.approvers = Get(approval.approvers());
  out.timeout = base::Duration(approval.timeout());
  for (const pb::InputSpec& input : approval.inputs()) {
    out.inputs.push_back(Get(input));
  }
  return out;
}

model::PlaceSpec Get(const pb::PlaceSpec& place) {
  model::PlaceSpec out;
  out.need.labels = GetLabels(place.labels());
  out.need.resources = GetResources(place.resources());
  out.need.sandbox = static_cast<model::SandboxKind>(place.sandbox());
  out.need.network = static_cast<model::NetworkKind>(place.network());
  out.need.service_images = place.service_images();
  out.image = Get(place.image());
  out.at = Get(place.at());
  return out;
}

void GetCoordination(const pb::RareJobSettings& rare, model::RareJobSettings* out) {
  out->delay = base::Duration(rare.delay());
  out->uploads_when = static_cast<model::UploadWhen>(rare.uploads_when());
  for (const pb::ConcurrencySpec& concurrency : rare.concurrency()) {
    out->concurrency.push_back(Get(concurrency));
  }
  if (rare.has_approval()) {
    out->approval = Get(rare.approval());
  }
  if (rare.has_environment()) {
    out->environment = {.name = Get(rare.environment().name()),
                        .url = Get(rare.environment().url())};
  }
  out->overlap_never = rare.overlap_never();
  for (const pb::JobList& list : rare.need_cells()) {
    std::vector<model::JobIndex>& cells = out->need_cells.emplace_back();
    for (const std::uint32_t job : list.jobs()) {
      cells.emplace_back(job);
    }
  }
}

std::unique_ptr<model::RareJobSettings> Get(const pb::RareJobSettings& rare) {
  auto out = std::make_unique<model::RareJobSettings>();
  if (rare.has_retry()) {
    out->retry = Get(rare.retry());
  }
  out->allow_failure.any = rare.allow_failure().any();
  out->allow_failure.exit_codes.assign(rare.allow_failure().exit_codes().begin(),
                                       rare.allow_failure().exit_codes().end());
  out->outputs = Get(rare.outputs());
  out->engine_outputs = Get(rare.engine_outputs());
  for (const pb::ArtifactUpload& upload : rare.uploads()) {
    out->uploads.push_back({upload.name(), Get(upload.paths()), Get(upload.at())});
  }
  for (const pb::Names& names : rare.need_artifacts()) {
    out->need_artifacts.push_back(Get(names.names()));
  }
  out->finally_steps = Get(rare.finally_steps());
  out->checkout = {!rare.checkout().disabled(), rare.checkout().depth(),
                   rare.checkout().submodules(), rare.checkout().lfs()};
  out->queue_timeout = base::Duration(rare.queue_timeout());
  out->log_limit = rare.log_limit();
  out->pool = rare.pool();
  out->artifacts_expire = base::Duration(rare.artifacts_expire());
  out->junit_reports = Get(rare.junit_reports());
  for (const pb::CacheSpec& cache : rare.caches()) {
    model::CacheSpec& entry = out->caches.emplace_back();
    entry = {.key = Get(cache.key()), .restore_keys = {}, .paths = Get(cache.paths())};
    for (const pb::Template& key : cache.restore_keys()) {
      entry.restore_keys.push_back(Get(key));
    }
  }
  out->reuse_inputs = Get(rare.reuse_inputs());
  for (const pb::ReadySpec& ready : rare.services()) {
    out->services.push_back({.tcp = ready.tcp(),
                             .http = Get(ready.http()),
                             .command = Get(ready.command()),
                             .log = ready.log(),
                             .timeout = base::Duration(ready.timeout()),
                             .image = Get(ready.image())});
  }
  if (rare.has_place()) {
    out->place = Get(rare.place());
  }
  GetCoordination(rare, out.get());
  return out;
}

std::unique_ptr<model::MatrixSpec> Get(const pb::MatrixSpec& matrix) {
  auto out = std::make_unique<model::MatrixSpec>();
  out->keys = Get(matrix.keys());
  out->max_parallel = matrix.max_parallel();
  out->fail_fast = !matrix.no_fail_fast();
  out->first_cell = model::JobIndex(matrix.first_cell());
  out->cell_count = matrix.cell_count();
  if (matrix.has_each()) {
    out->each = {.list = matrix.each().list(),
                 .at = Get(matrix.each().at()),
                 .second_cell = model::JobIndex(matrix.each().second_cell())};
  }
  return out;
}

std::vector<model::Need> GetNeeds(const pb::JobSpec& spec) {
  std::vector<model::Need> out;
  out.reserve(static_cast<std::size_t>(spec.plain_needs_size() + spec.needs_size()));
  std::uint64_t last = 0;
  for (const std::int64_t step : spec.plain_needs()) {
    last += static_cast<std::uint64_t>(step);
    model::Need& need = out.emplace_back();
    need.spec = model::SpecIndex(static_cast<std::uint32_t>(last));
  }
  for (const pb::Need& need : spec.needs()) {
    model::Need& entry = out.emplace_back();
    entry.spec = model::SpecIndex(need.spec());
    entry.on = static_cast<model::NeedOn>(need.on());
    entry.optional = need.optional();
    entry.artifacts = static_cast<std::uint16_t>(need.artifacts());
    entry.cells = static_cast<std::uint16_t>(need.cells());
  }
  return out;
}

model::JobSpec Get(const pb::JobSpec& spec) {
  model::JobSpec out;
  out.name = spec.name();
  out.stage = spec.stage() - 1;
  out.has_needs = spec.has_needs();
  out.priority = spec.priority();
  out.needs = GetNeeds(spec);
  out.condition = Get(spec.condition());
  out.env = Get(spec.env());
  out.steps = Get(spec.steps());
  out.timeout = base::Duration(spec.timeout());
  if (spec.has_matrix()) {
    out.matrix = Get(spec.matrix());
  }
  if (spec.has_rare()) {
    out.rare = Get(spec.rare());
  }
  out.at = Get(spec.at());
  return out;
}

model::EventFilter Get(const pb::EventFilter& filter) {
  return {Get(filter.branches()),    Get(filter.branches_ignore()), Get(filter.tags()),
          Get(filter.tags_ignore()), Get(filter.paths()),           Get(filter.paths_ignore())};
}

model::Triggers Get(const pb::Triggers& on) {
  model::Triggers out;
  if (on.has_push()) {
    out.push = Get(on.push());
  }
  if (on.has_pull_request()) {
    out.pull_request = Get(on.pull_request());
  }
  if (on.has_tag()) {
    out.tag = Get(on.tag());
  }
  for (const pb::ScheduleSpec& schedule : on.schedule()) {
    out.schedule.push_back({schedule.cron(), schedule.timezone()});
  }
  out.manual = !on.not_manual();
  out.webhook = on.webhook();
  out.run = Get(on.run());
  return out;
}

void GetDocument(const pb::Plan& in, model::Plan* out) {
  out->name = in.name();
  out->files = Get(in.files());
  out->on = Get(in.on());
  for (const pb::InputSpec& input : in.inputs()) {
    out->inputs.push_back(Get(input));
  }
  out->env = Get(in.env());
  out->timeout = base::Duration(in.timeout());
  if (in.has_concurrency()) {
    out->concurrency = Get(in.concurrency());
  }
  for (const pb::StageSpec& stage : in.stages()) {
    out->stages.push_back({stage.name(), Get(stage.at())});
  }
}

// Behind its last cell.
std::uint64_t CellsEnd(const model::MatrixSpec& matrix) {
  const std::uint64_t first = matrix.first_cell.value();
  if (!matrix.each.has_value() || matrix.cell_count < 2) {
    return first + matrix.cell_count;
  }
  return std::max<std::uint64_t>(
      first + 1, std::uint64_t{matrix.each->second_cell.value()} + matrix.cell_count - 1);
}

// Everybody subscripts with these; bytes that passed their digest and are still wrong come from a
// defect of the writer.
Status CheckIndices(const model::Plan& plan) {
  for (const model::PlannedJob& job : plan.jobs) {
    if (base::AsIndex(job.spec) >= plan.specs.size()) {
      return DataLoss("plan damaged: a job of specification {} where there are {}",
                      job.spec.value(), plan.specs.size());
    }
  }
  for (const model::JobSpec& spec : plan.specs) {
    if (spec.stage != model::kNoStage && spec.stage >= plan.stages.size()) {
      return DataLoss("plan damaged: stage {} where there are {}", spec.stage, plan.stages.size());
    }
    for (const model::Need& need : spec.needs) {
      if (base::AsIndex(need.spec) >= plan.specs.size()) {
        return DataLoss("plan damaged: a need of {} where there are {} specifications",
                        need.spec.value(), plan.specs.size());
      }
      if (need.cells > model::RareOf(spec).need_cells.size()) {
        return DataLoss("plan damaged: a need of cells that are not listed");
      }
    }
    for (const std::vector<model::JobIndex>& cells : model::RareOf(spec).need_cells) {
      if (cells.empty() || base::AsIndex(cells.back()) >= plan.jobs.size()) {
        return DataLoss("plan damaged: a need of cells beyond the {} jobs", plan.jobs.size());
      }
    }
    if (spec.matrix != nullptr && CellsEnd(*spec.matrix) > plan.jobs.size()) {
      return DataLoss("plan damaged: matrix cells beyond the {} jobs", plan.jobs.size());
    }
  }
  return base::OkStatus();
}

// Reads a plan field by field: jobs one at a time, the rest together at the end.
class PlanReader {
 public:
  explicit PlanReader(std::string_view bytes)
      : bytes_(bytes),
        in_(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size())) {}

  base::StatusOr<model::PlanRef> Read() {
    auto plan = std::make_shared<model::Plan>();
    std::string document;
    std::int64_t next_spec = 0;
    while (true) {
      const int start = in_.CurrentPosition();
      const std::uint32_t tag = in_.ReadTag();
      if (tag == 0) {
        break;
      }
      std::string_view field;
      if (!Field(tag, &field)) {
        return DataLoss("plan damaged at byte {}", start);
      }
      if (tag == Tag(pb::Plan::kSpecsFieldNumber)) {
        if (!spec_.ParseFromArray(field.data(), static_cast<int>(field.size()))) {
          return DataLoss("plan damaged at byte {}: a job cannot be read", start);
        }
        plan->specs.push_back(Get(spec_));
      } else if (tag == Tag(pb::Plan::kJobsFieldNumber)) {
        if (!job_.ParseFromArray(field.data(), static_cast<int>(field.size()))) {
          return DataLoss("plan damaged at byte {}: a job cannot be read", start);
        }
        const std::int64_t spec = static_cast<std::int64_t>(
            static_cast<std::uint64_t>(next_spec) + static_cast<std::uint64_t>(job_.spec_skip()));
        plan->jobs.push_back(
            {model::SpecIndex(static_cast<std::uint32_t>(spec)), Get(job_.cell())});
        next_spec = spec + 1;
      } else {
        document += bytes_.substr(static_cast<std::size_t>(start),
                                  static_cast<std::size_t>(in_.CurrentPosition() - start));
      }
    }
    pb::Plan rest;
    if (!in_.ConsumedEntireMessage() || !rest.ParseFromString(document)) {
      return DataLoss("plan damaged: its head cannot be read");
    }
    GetDocument(rest, plan.get());
    RETURN_IF_ERROR(CheckIndices(*plan));
    return model::PlanRef(std::move(plan));
  }

 private:
  static std::uint32_t Tag(int number) { return static_cast<std::uint32_t>(number) << 3 | 2; }

  // Moves past the field; `out` is what is in it when it has a length.
  bool Field(std::uint32_t tag, std::string_view* out) {
    std::uint64_t number = 0;
    std::uint32_t size = 0;
    switch (tag & 7) {
      case 0:
        return in_.ReadVarint64(&number);
      case 1:
        return in_.Skip(8);
      case 5:
        return in_.Skip(4);
      case 2:
        if (!in_.ReadVarint32(&size) ||
            size > bytes_.size() - static_cast<std::size_t>(in_.CurrentPosition())) {
          return false;
        }
        *out = bytes_.substr(static_cast<std::size_t>(in_.CurrentPosition()), size);
        return in_.Skip(static_cast<int>(size));
      default:
        return false;
    }
  }

  std::string_view bytes_;
  google::protobuf::io::CodedInputStream in_;
  pb::JobSpec spec_;
  pb::PlannedJob job_;
};

}  // namespace

base::StatusOr<model::PlanRef> DecodePlan(std::string_view bytes) {
  if (bytes.empty()) {
    return DataLoss("plan damaged: no bytes");
  }
  RETURN_IF_ERROR(CheckVersion(static_cast<std::uint8_t>(bytes[0]), kPlanVersion, "plan"));
  return PlanReader(bytes.substr(1)).Read();
}

}  // namespace store::codec
