// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/random_plan.h"

#include <memory>
#include <utility>

#include <fmt/format.h>

namespace tests::sim {
namespace {

using engine::base::Random;
using namespace engine::model;  // NOLINT(google-build-using-namespace)

StepSpec DrawStep(const std::string& name) {
  StepSpec step;
  step.id = name;
  step.run.text = "true";
  step.argv = {"true"};
  return step;
}

RareJobSettings& Rare(JobSpec& spec) {
  if (spec.rare == nullptr) {
    spec.rare = std::make_unique<RareJobSettings>();
  }
  return *spec.rare;
}

void DrawOutcomeRules(Random& random, JobSpec& spec) {
  if (random.OneIn(1, 4)) {
    RetrySpec& retry = Rare(spec).retry;
    retry.max = static_cast<std::uint32_t>(1 + random.Below(3));
    retry.initial = std::chrono::milliseconds(random.Below(2000));
  }
  if (random.OneIn(1, 6)) {
    Rare(spec).allow_failure.any = true;
  }
  if (random.OneIn(1, 4)) {
    Rare(spec).finally_steps.push_back(DrawStep("unlock"));
  }
  if (random.OneIn(1, 3)) {
    spec.timeout = std::chrono::milliseconds(500 + random.Below(5000));
  }
  if (random.OneIn(1, 10)) {
    Rare(spec).queue_timeout = std::chrono::seconds(5 + random.Below(60));
  }
}

void DrawCondition(Random& random, JobSpec& spec) {
  switch (random.Below(12)) {
    case 0:
      spec.condition = {"always()", {}, true};
      break;
    case 1:
      spec.condition = {"failure()", {}, true};
      break;
    case 2:
      spec.condition = {"cancelled()", {}, true};
      break;
    case 3:
      spec.condition = {"1 == 2", {}, false};
      break;
    default:
      break;
  }
}

void DrawNeeds(Random& random, JobSpec& spec, std::uint32_t earlier) {
  spec.has_needs = true;
  const std::uint64_t count = random.Below(4);
  for (std::uint64_t i = 0; i < count && earlier > 0; ++i) {
    Need need{SpecIndex(static_cast<std::uint32_t>(random.Below(earlier)))};
    need.on = random.OneIn(3, 4) ? NeedOn::kSuccess
                                 : (random.OneIn(1, 2) ? NeedOn::kFailure : NeedOn::kEnd);
    spec.needs.push_back(need);
  }
}

void DrawMatrix(Random& random, JobSpec& spec) {
  spec.matrix = std::make_unique<MatrixSpec>();
  spec.matrix->keys = {"cell"};
  spec.matrix->cell_count = static_cast<std::uint32_t>(1 + random.Below(6));
  spec.matrix->fail_fast = random.OneIn(1, 2);
  spec.matrix->max_parallel = static_cast<std::uint32_t>(random.Below(4));
}

void AddJobs(Plan& plan, std::uint32_t spec_index) {
  JobSpec& spec = plan.specs[spec_index];
  if (spec.matrix == nullptr) {
    plan.jobs.push_back({SpecIndex(spec_index), {}});
    return;
  }
  spec.matrix->first_cell = JobIndex(static_cast<std::uint32_t>(plan.jobs.size()));
  for (std::uint32_t cell = 0; cell < spec.matrix->cell_count; ++cell) {
    plan.jobs.push_back({SpecIndex(spec_index), {fmt::format("{}", cell)}});
  }
}

}  // namespace

PlanRef DrawPlan(Random& random, bool pools) {
  auto plan = std::make_shared<Plan>();
  plan->name = "drawn";
  const auto stages = static_cast<std::uint32_t>(random.Below(4));
  for (std::uint32_t i = 0; i < stages; ++i) {
    plan->stages.push_back({fmt::format("stage{}", i), {}});
  }
  const auto count = static_cast<std::uint32_t>(1 + random.Below(15));
  for (std::uint32_t i = 0; i < count; ++i) {
    JobSpec spec;
    spec.name = fmt::format("job{}", i);
    spec.priority = static_cast<std::int32_t>(random.Below(3)) - 1;
    if (stages > 0) {
      // Rising with the position, so that a need never points to a later stage.
      spec.stage = i * stages / count;
    }
    if (stages == 0 || random.OneIn(1, 3)) {
      DrawNeeds(random, spec, i);
    }
    DrawCondition(random, spec);
    DrawOutcomeRules(random, spec);
    if (pools && random.OneIn(1, 4)) {
      Rare(spec).pool = kOtherPool;
    }
    if (random.OneIn(1, 4)) {
      DrawMatrix(random, spec);
    }
    const std::uint64_t steps = 1 + random.Below(3);
    for (std::uint64_t step = 0; step < steps; ++step) {
      spec.steps.push_back(DrawStep(fmt::format("step{}", step)));
    }
    plan->specs.push_back(std::move(spec));
    AddJobs(*plan, i);
  }
  return plan;
}

}  // namespace tests::sim
