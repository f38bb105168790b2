// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/random_plan.h"

#include <array>
#include <memory>
#include <string_view>
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

constexpr std::uint32_t kGroups = 3;

ConcurrencySpec DrawGroup(Random& random) {
  ConcurrencySpec group;
  // All that name a group agree on its room, so that it can be checked.
  const std::uint64_t number = random.Below(kGroups);
  group.group.text = fmt::format("group{}", number);
  group.max = static_cast<std::uint32_t>(1 + number % 2);
  group.policy = static_cast<GroupPolicy>(random.OneIn(1, 2) ? 0 : random.Below(4));
  return group;
}

void DrawGates(Random& random, JobSpec& spec) {
  for (std::uint64_t i = random.OneIn(1, 4) ? 1 + random.Below(2) : 0; i > 0; --i) {
    Rare(spec).concurrency.push_back(DrawGroup(random));
  }
  if (random.OneIn(1, 10)) {
    Rare(spec).environment.emplace().name.text = "production";
  }
  if (random.OneIn(1, 10)) {
    Rare(spec).approval.emplace().timeout = std::chrono::seconds(random.Below(600));
  }
  if (random.OneIn(1, 10)) {
    Rare(spec).delay = std::chrono::milliseconds(random.Below(5000));
  }
  Rare(spec).overlap_never = random.OneIn(1, 10);
  if (random.OneIn(1, 8)) {
    StepSpec& step = spec.steps[random.Below(spec.steps.size())];
    step.effects_once = true;
    step.effect_check.text = random.OneIn(1, 2) ? "check" : "";
  }
  StepSpec& first = spec.steps.front();
  first.background = spec.steps.size() > 1 && !first.effects_once && random.OneIn(1, 4);
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

// Some of a matrix's cells, if it has any.
void DrawCells(Random& random, const Plan& plan, JobSpec& spec, Need& need) {
  const MatrixSpec* matrix = plan.specs[need.spec.value()].matrix.get();
  if (matrix == nullptr || matrix->each.has_value() || random.OneIn(1, 2)) {
    return;
  }
  std::vector<JobIndex> cells;
  for (std::uint32_t i = 0; i < matrix->cell_count; ++i) {
    if (random.OneIn(1, 2)) {
      cells.emplace_back(matrix->first_cell.value() + i);
    }
  }
  if (!cells.empty()) {
    Rare(spec).need_cells.push_back(std::move(cells));
    need.cells = static_cast<std::uint16_t>(Rare(spec).need_cells.size());
  }
}

void DrawNeeds(Random& random, const Plan& plan, JobSpec& spec, std::uint32_t earlier) {
  spec.has_needs = true;
  const std::uint64_t count = random.Below(4);
  for (std::uint64_t i = 0; i < count && earlier > 0; ++i) {
    Need need{SpecIndex(static_cast<std::uint32_t>(random.Below(earlier)))};
    need.on = random.OneIn(3, 4) ? NeedOn::kSuccess
                                 : (random.OneIn(1, 2) ? NeedOn::kFailure : NeedOn::kEnd);
    DrawCells(random, plan, spec, need);
    spec.needs.push_back(need);
  }
}

// Mostly several values, now and then none, or what is no list.
void DrawList(Random& random, MatrixSpec& matrix) {
  constexpr std::array<std::string_view, 8> kLists = {
      "fromJSON('[1, 2, 3]')",
      "fromJSON('[\"a\"]')",
      "fromJSON('[\"a\", \"b\", \"a\", {\"k\": \"c\"}, [], null]')",
      "fromJSON(format('[{0}]', '1, 2'))",
      "fromJSON('[true, false]')",
      "fromJSON('[]')",
      "fromJSON('{')",
      "branch"};
  matrix.keys = {"value", "index", "name"};
  matrix.cell_count = 1;
  matrix.each.emplace().list = kLists[random.Below(kLists.size())];
}

void DrawMatrix(Random& random, JobSpec& spec) {
  spec.matrix = std::make_unique<MatrixSpec>();
  spec.matrix->keys = {"cell"};
  spec.matrix->cell_count = static_cast<std::uint32_t>(1 + random.Below(6));
  spec.matrix->fail_fast = random.OneIn(1, 2);
  spec.matrix->max_parallel = static_cast<std::uint32_t>(random.Below(4));
  if (random.OneIn(1, 2)) {
    DrawList(random, *spec.matrix);
  }
}

// What no worker offers is given up soon.
void DrawPlace(Random& random, JobSpec& spec) {
  Rare(spec).place.emplace();
  PlaceNeed& need = Rare(spec).place->need;
  if (random.OneIn(1, 2)) {
    need.labels = {{.name = "kind", .value = random.OneIn(1, 2) ? "odd" : ""}};
  }
  need.resources.cpu_millis = 500 * random.Below(6);
  if (random.OneIn(1, 10)) {
    need.sandbox = SandboxKind::kContainer;
  }
  Rare(spec).queue_timeout = std::chrono::seconds(5 + random.Below(60));
}

void AddJobs(Plan& plan, std::uint32_t spec_index) {
  JobSpec& spec = plan.specs[spec_index];
  if (spec.matrix == nullptr) {
    plan.jobs.push_back({SpecIndex(spec_index), {}});
    return;
  }
  spec.matrix->first_cell = JobIndex(static_cast<std::uint32_t>(plan.jobs.size()));
  for (std::uint32_t cell = 0; cell < spec.matrix->cell_count; ++cell) {
    plan.jobs.push_back(
        {SpecIndex(spec_index), spec.matrix->each.has_value()
                                    ? std::vector<JsonText>(spec.matrix->keys.size())
                                    : std::vector<JsonText>{fmt::format("{}", cell)}});
  }
}

}  // namespace

WorkerOffer DrawOffer(Random& random) {
  WorkerOffer offer;
  if (random.OneIn(2, 3)) {
    offer.labels = {{.name = "kind", .value = random.OneIn(1, 2) ? "odd" : "even"}};
  }
  offer.resources.cpu_millis = 1000 * random.Below(4);
  return offer;
}

PlanRef DrawPlan(Random& random, bool pools) {
  auto plan = std::make_shared<Plan>();
  plan->name = "drawn";
  if (random.OneIn(1, 6)) {
    plan->concurrency = DrawGroup(random);
  }
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
      DrawNeeds(random, *plan, spec, i);
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
    DrawGates(random, spec);
    if (random.OneIn(1, 4)) {
      DrawPlace(random, spec);
    }
    plan->specs.push_back(std::move(spec));
    AddJobs(*plan, i);
  }
  return plan;
}

}  // namespace tests::sim
