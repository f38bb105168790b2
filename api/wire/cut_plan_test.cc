// SPDX-License-Identifier: Apache-2.0
#include "api/wire/cut_plan.h"

#include <memory>

#include <gtest/gtest.h>

#include "api/wire/assignment.h"
#include "engine/base/random.h"
#include "tests/support/sample_facts.h"

namespace api::wire {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;

// Any plan whose jobs have names of their own.
std::shared_ptr<model::Plan> NamedPlan(base::Random& random) {
  auto plan = std::make_shared<model::Plan>(tests::support::AnyPlan(random));
  for (std::size_t i = 0; i < plan->specs.size(); ++i) {
    model::JobSpec& spec = plan->specs[i];
    spec.name = "job" + std::to_string(i);
    for (model::Need& need : spec.needs) {
      need.artifacts = std::min<std::uint16_t>(need.artifacts, 1);
    }
    spec.timeout = {};
    // Services are steps.
    spec.steps.resize(std::max(spec.steps.size(), model::RareOf(spec).services.size()));
  }
  return plan;
}

void CheckAllJobs(std::uint64_t seed) {
  base::Random random(seed);
  const std::shared_ptr<const model::Plan> plan = NamedPlan(random);
  for (std::uint32_t i = 0; i < plan->jobs.size(); ++i) {
    model::Assignment assignment;
    assignment.lease.key = {.run = model::RunId(3), .job = model::JobIndex(i), .attempt = 1};
    assignment.plan = plan;
    assignment.job = model::JobIndex(i);
    assignment.context =
        std::make_shared<const model::RunContext>(tests::support::AnyContext(random));
    pb::Assignment wire;
    ToWire(assignment, &wire);
    const auto arrived = AssignmentFrom(wire);
    ASSERT_TRUE(arrived.ok()) << arrived.status();
    const model::Assignment cut = CutDown(assignment);
    EXPECT_TRUE(tests::support::SamePlan(*arrived->plan, *cut.plan)) << seed << " job " << i;
    EXPECT_EQ(*arrived->context, *assignment.context);
    EXPECT_EQ(model::JobName(*arrived->plan, arrived->job),
              model::JobName(*plan, model::JobIndex(i)));
    pb::Assignment again;
    ToWire(cut, &again);
    EXPECT_EQ(wire.SerializeAsString(), again.SerializeAsString());
  }
}

TEST(CutPlan, IsWhatArrives) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CheckAllJobs(seed);
  }
}

model::PlanRef PlanWithNeeds() {
  auto plan = std::make_shared<model::Plan>();
  for (std::uint32_t i = 0; i < 5; ++i) {
    plan->specs.emplace_back().name = "j" + std::to_string(i);
    plan->jobs.push_back({.spec = model::SpecIndex(i), .cell = {}});
  }
  plan->specs[4].needs = {{.spec = model::SpecIndex(3)},
                          {.spec = model::SpecIndex(1), .on = model::NeedOn::kEnd},
                          {.spec = model::SpecIndex(3), .on = model::NeedOn::kFailure}};
  plan->specs[4].priority = 8;
  return plan;
}

TEST(CutPlan, KeepsTheJobAndTheNamesOfItsNeeds) {
  const model::Plan cut = CutPlan(*PlanWithNeeds(), model::JobIndex(4));
  ASSERT_EQ(cut.specs.size(), 3U);
  EXPECT_EQ(cut.specs[0].name, "j4");
  EXPECT_EQ(cut.specs[0].priority, 0);
  EXPECT_EQ(cut.specs[1].name, "j3");
  EXPECT_EQ(cut.specs[2].name, "j1");
  EXPECT_EQ(cut.specs[0].needs[2].spec, model::SpecIndex(1));
  EXPECT_EQ(cut.jobs.size(), 1U);
}

TEST(CutPlan, TheNeedsResultsPointIntoIt) {
  model::Assignment assignment;
  assignment.lease.key = {.run = model::RunId(3), .job = model::JobIndex(4), .attempt = 1};
  assignment.plan = PlanWithNeeds();
  assignment.job = model::JobIndex(4);
  assignment.context = std::make_shared<const model::RunContext>();
  assignment.needs = {
      {.spec = model::SpecIndex(3), .status = model::Status::kFailed, .results = {}},
      {.spec = model::SpecIndex(1), .status = model::Status::kWarned, .results = {}}};
  pb::Assignment wire;
  ToWire(assignment, &wire);
  const auto arrived = AssignmentFrom(wire);
  ASSERT_TRUE(arrived.ok()) << arrived.status();
  for (const model::Assignment& each : {*arrived, CutDown(assignment)}) {
    ASSERT_EQ(each.needs.size(), 2U);
    EXPECT_EQ(each.plan->specs[base::AsIndex(each.needs[0].spec)].name, "j3");
    EXPECT_EQ(each.plan->specs[base::AsIndex(each.needs[1].spec)].name, "j1");
    EXPECT_EQ(each.needs[1].status, model::Status::kWarned);
  }
}

}  // namespace
}  // namespace api::wire
