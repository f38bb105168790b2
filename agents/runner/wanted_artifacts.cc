// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/wanted_artifacts.h"

#include <algorithm>
#include <string>

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;

void TakeNamed(const model::NeedResult& result, const std::string* name,
               std::vector<model::Artifact>& wanted) {
  for (const std::shared_ptr<const model::JobResult>& job : result.results) {
    for (const model::Artifact& artifact : job->artifacts) {
      if (name == nullptr || artifact.name == *name) {
        wanted.push_back(artifact);
      }
    }
  }
}

}  // namespace

base::StatusOr<std::vector<model::Artifact>> WantedArtifacts(const model::Assignment& assignment) {
  std::vector<model::Artifact> wanted;
  const model::JobSpec& spec = model::SpecOf(*assignment.plan, assignment.job);
  for (const model::Need& need : spec.needs) {
    const auto result = std::ranges::find_if(
        assignment.needs, [&](const model::NeedResult& each) { return each.spec == need.spec; });
    if (need.artifacts == 0 || result == assignment.needs.end()) {
      continue;
    }
    if (need.artifacts == 1) {
      TakeNamed(*result, nullptr, wanted);
      continue;
    }
    const bool ended_well =
        result->status == model::Status::kSucceeded || result->status == model::Status::kWarned;
    for (const std::string& name : model::RareOf(spec).need_artifacts[need.artifacts - 2U]) {
      const std::size_t before = wanted.size();
      TakeNamed(*result, &name, wanted);
      if (wanted.size() == before && ended_well && !need.optional) {
        return base::NotFound("'{}' of job {}: it was not uploaded", name,
                              assignment.plan->specs[base::AsIndex(need.spec)].name);
      }
    }
  }
  return wanted;
}

}  // namespace agents::runner
