// SPDX-License-Identifier: Apache-2.0
#include "apps/selection.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "engine/base/did_you_mean.h"

namespace apps {
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

}  // namespace apps
