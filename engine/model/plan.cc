// SPDX-License-Identifier: Apache-2.0
#include "engine/model/plan.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace engine::model {
namespace {

// A cell's value as it stands in a job's name: strings without their quotes.
std::string CellText(const JsonText& value) {
  const bool plain_string = value.size() >= 2 && value.front() == '"' && value.back() == '"' &&
                            value.find('\\') == std::string::npos;
  return plain_string ? value.substr(1, value.size() - 2) : value;
}

std::string CellName(const JobSpec& spec, const std::vector<JsonText>& cell) {
  if (spec.matrix->each.has_value()) {
    const bool is_known = !cell.empty() && !cell.back().empty();
    return is_known ? fmt::format("{}[{}]", spec.name, CellText(cell.back())) : spec.name;
  }
  std::string text = spec.name + "[";
  bool first = true;
  for (const JsonText& value : cell) {
    if (value.empty()) {
      continue;
    }
    text += first ? "" : ", ";
    text += CellText(value);
    first = false;
  }
  return text + "]";
}

}  // namespace

std::string JobName(const Plan& plan, JobIndex job) {
  const PlannedJob& planned = plan.jobs[base::AsIndex(job)];
  const JobSpec& spec = plan.specs[base::AsIndex(planned.spec)];
  return spec.matrix == nullptr ? spec.name : CellName(spec, planned.cell);
}

std::optional<JobIndex> FindJob(const Plan& plan, std::string_view name) {
  for (std::uint32_t i = 0; i < plan.jobs.size(); ++i) {
    const JobSpec& spec = SpecOf(plan, JobIndex(i));
    // Cheap first: only a cell of the right job, or the job itself, can match.
    if (name.starts_with(spec.name) && JobName(plan, JobIndex(i)) == name) {
      return JobIndex(i);
    }
  }
  return std::nullopt;
}

const PlaceNeed& PlaceNeedOf(const JobSpec& spec) {
  static const PlaceNeed kNothing;
  return spec.rare != nullptr && spec.rare->place.has_value() ? spec.rare->place->need : kNothing;
}

std::string_view PoolOf(const JobSpec& spec) {
  return spec.rare == nullptr || spec.rare->pool.empty() ? kDefaultPool : spec.rare->pool;
}

const RareJobSettings& RareOf(const JobSpec& spec) {
  static const RareJobSettings kDefaults;
  return spec.rare == nullptr ? kDefaults : *spec.rare;
}

bool HasOnceStep(const JobSpec& spec) {
  const auto is_once = [](const StepSpec& step) { return step.effects_once; };
  return std::any_of(spec.steps.begin(), spec.steps.end(), is_once) ||
         (spec.rare != nullptr &&
          std::any_of(spec.rare->finally_steps.begin(), spec.rare->finally_steps.end(), is_once));
}

bool IsExclusive(const JobSpec& spec) {
  const RareJobSettings& rare = RareOf(spec);
  return rare.overlap_never || !rare.concurrency.empty() || rare.environment.has_value() ||
         HasOnceStep(spec);
}

const StepSpec* StepAt(const JobSpec& spec, StepIndex index) {
  const std::size_t position = base::AsIndex(index);
  if (position < spec.steps.size()) {
    return &spec.steps[position];
  }
  const std::vector<StepSpec>& finally_steps = RareOf(spec).finally_steps;
  const std::size_t beyond = position - spec.steps.size();
  return beyond < finally_steps.size() ? &finally_steps[beyond] : nullptr;
}

bool IsService(const JobSpec& spec, StepIndex index) {
  return base::AsIndex(index) < RareOf(spec).services.size();
}

std::string StepName(const JobSpec& spec, StepIndex index) {
  const StepSpec* step = StepAt(spec, index);
  if (step != nullptr && !step->id.empty()) {
    return step->id;
  }
  return fmt::format("{}", base::AsIndex(index) + 1 - RareOf(spec).services.size());
}

const Defaults& DefaultSettings() {
  static const Defaults kDefaults;
  return kDefaults;
}

}  // namespace engine::model
