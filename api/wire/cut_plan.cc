// SPDX-License-Identifier: Apache-2.0
#include "api/wire/cut_plan.h"

#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace api::wire {

namespace base = engine::base;
namespace model = engine::model;

namespace {

// Where the cut plan has the specs that `job` needs, and their order there.
struct Needed {
  std::map<model::SpecIndex, model::SpecIndex> place;
  std::vector<model::SpecIndex> order;
};
Needed NeededBy(const model::JobSpec& job) {
  Needed needed;
  for (const model::Need& need : job.needs) {
    const model::SpecIndex next(static_cast<std::uint32_t>(1 + needed.order.size()));
    if (needed.place.emplace(need.spec, next).second) {
      needed.order.push_back(need.spec);
    }
  }
  return needed;
}

std::unique_ptr<model::RareJobSettings> CutRare(const model::RareJobSettings& rare) {
  auto cut = std::make_unique<model::RareJobSettings>();
  cut->outputs = rare.outputs;
  cut->engine_outputs = rare.engine_outputs;
  cut->uploads = rare.uploads;
  cut->uploads_when = rare.uploads_when;
  cut->junit_reports = rare.junit_reports;
  cut->caches = rare.caches;
  cut->reuse_inputs = rare.reuse_inputs;
  cut->need_artifacts = rare.need_artifacts;
  cut->finally_steps = rare.finally_steps;
  cut->checkout = rare.checkout;
  cut->log_limit = rare.log_limit;
  cut->services = rare.services;
  return *cut == model::RareJobSettings{} ? nullptr : std::move(cut);
}

model::JobSpec CutJob(const model::JobSpec& whole, const Needed& needed) {
  model::JobSpec cut;
  cut.name = whole.name;
  cut.has_needs = !whole.needs.empty();
  for (model::Need need : whole.needs) {
    need.spec = needed.place.at(need.spec);
    need.cells = 0;  // Their results come with the assignment.
    cut.needs.push_back(need);
  }
  cut.env = whole.env;
  cut.steps = whole.steps;
  if (whole.matrix != nullptr) {
    cut.matrix = std::make_unique<model::MatrixSpec>();
    cut.matrix->keys = whole.matrix->keys;
    cut.matrix->cell_count = 1;
    if (whole.matrix->each.has_value()) {
      cut.matrix->each.emplace();  // That it is one; its list is known.
    }
  }
  cut.rare = CutRare(model::RareOf(whole));
  cut.at = whole.at;
  return cut;
}

}  // namespace

model::Plan CutPlan(const model::Plan& plan, model::JobIndex job) {
  const model::JobSpec& whole = model::SpecOf(plan, job);
  const Needed needed = NeededBy(whole);
  model::Plan cut;
  cut.name = plan.name;
  cut.files = plan.files;
  cut.specs.push_back(CutJob(whole, needed));
  for (const model::SpecIndex need : needed.order) {
    cut.specs.emplace_back().name = plan.specs[base::AsIndex(need)].name;
  }
  cut.jobs.push_back({.spec = model::SpecIndex(0), .cell = plan.jobs[base::AsIndex(job)].cell});
  return cut;
}

model::Assignment CutDown(const model::Assignment& assignment) {
  const Needed needed = NeededBy(model::SpecOf(*assignment.plan, assignment.job));
  model::Assignment cut = assignment;
  cut.plan = std::make_shared<const model::Plan>(CutPlan(*assignment.plan, assignment.job));
  cut.job = model::JobIndex(0);
  std::erase_if(cut.needs, [&](model::NeedResult& need) {
    const auto place = needed.place.find(need.spec);
    if (place == needed.place.end()) {
      return true;
    }
    need.spec = place->second;
    return false;
  });
  return cut;
}

}  // namespace api::wire
