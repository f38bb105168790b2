// SPDX-License-Identifier: Apache-2.0
#include "dsl/selection.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "engine/base/did_you_mean.h"

namespace dsl {
namespace {

namespace base = engine::base;
namespace model = engine::model;

base::Status Unknown(const model::Plan& plan, const std::string& name) {
  const std::string matrix = name.substr(0, name.find('['));
  if (matrix != name && model::FindJob(plan, name)) {
    return base::InvalidArgument("--only takes whole jobs: '{}' is a cell of '{}'", name, matrix);
  }
  std::vector<std::string_view> known;
  for (const model::JobSpec& spec : plan.specs) {
    known.push_back(spec.name);
  }
  const std::string hint = base::DidYouMean(name, std::span<const std::string_view>(known));
  return base::InvalidArgument("--only: there is no job '{}'{}{}", name, hint.empty() ? "" : ": ",
                               hint);
}

}  // namespace

base::StatusOr<std::vector<model::SpecIndex>> NotSelected(const model::Plan& plan,
                                                          const std::vector<std::string>& names) {
  if (names.empty()) {
    return std::vector<model::SpecIndex>();
  }
  std::vector<bool> selected(plan.specs.size(), false);
  std::vector<std::size_t> open;
  const auto select = [&](std::size_t spec) {
    if (!selected[spec]) {
      selected[spec] = true;
      open.push_back(spec);
    }
  };
  for (const std::string& name : names) {
    const auto found = std::ranges::find(plan.specs, name, &model::JobSpec::name);
    if (found == plan.specs.end()) {
      return Unknown(plan, name);
    }
    select(static_cast<std::size_t>(found - plan.specs.begin()));
  }
  while (!open.empty()) {
    const std::size_t spec = open.back();
    open.pop_back();
    for (const model::Need& need : plan.specs[spec].needs) {
      select(base::AsIndex(need.spec));
    }
  }
  std::vector<model::SpecIndex> left_out;
  for (std::size_t spec = 0; spec < selected.size(); ++spec) {
    if (!selected[spec]) {
      left_out.emplace_back(static_cast<std::uint32_t>(spec));
    }
  }
  return left_out;
}

base::StatusOr<std::vector<model::JobIndex>> FindJobs(const model::Plan& plan,
                                                      std::string_view name) {
  std::vector<model::JobIndex> jobs;
  for (std::uint32_t i = 0; i < plan.jobs.size(); ++i) {
    const model::JobIndex job(i);
    if (model::SpecOf(plan, job).name == name || model::JobName(plan, job) == name) {
      jobs.push_back(job);
    }
  }
  if (!jobs.empty()) {
    return jobs;
  }
  std::vector<std::string> known;
  for (std::uint32_t i = 0; i < plan.jobs.size(); ++i) {
    known.push_back(model::JobName(plan, model::JobIndex(i)));
  }
  const std::string hint = base::DidYouMean(name, std::span<const std::string>(known));
  return base::NotFound("no job '{}' in pipeline {}{}{}", name, plan.name, hint.empty() ? "" : ": ",
                        hint);
}

}  // namespace dsl
