// SPDX-License-Identifier: Apache-2.0
#include "engine/model/plan.h"

#include <gtest/gtest.h>

namespace engine::model {
namespace {

Plan PlanWithMatrix() {
  Plan plan;
  plan.specs.resize(2);
  plan.specs[0].name = "unit";
  plan.specs[0].matrix = std::make_unique<MatrixSpec>();
  plan.specs[0].matrix->keys = {"suite", "level", "extra"};
  plan.specs[1].name = "unit-all";
  plan.jobs = {{SpecIndex(0), {"\"core\"", "3", ""}},
               {SpecIndex(0), {"\"net\"", "true", "null"}},
               {SpecIndex(1), {}}};
  return plan;
}

TEST(JobName, ShowsTheCellsValues) {
  const Plan plan = PlanWithMatrix();
  EXPECT_EQ(JobName(plan, JobIndex(0)), "unit[core, 3]");
  EXPECT_EQ(JobName(plan, JobIndex(1)), "unit[net, true, null]");
  EXPECT_EQ(JobName(plan, JobIndex(2)), "unit-all");
}

TEST(FindJob, IsTheInverseOfJobName) {
  const Plan plan = PlanWithMatrix();
  for (std::uint32_t i = 0; i < plan.jobs.size(); ++i) {
    EXPECT_EQ(FindJob(plan, JobName(plan, JobIndex(i))), JobIndex(i));
  }
  EXPECT_EQ(FindJob(plan, "unit"), std::nullopt);
}

TEST(StepName, IsTheIdOrThePositionFromOneAcrossFinally) {
  JobSpec spec;
  spec.steps.resize(2);
  spec.steps[1].id = "compile";
  spec.rare = std::make_unique<RareJobSettings>();
  spec.rare->finally_steps.resize(1);
  EXPECT_EQ(StepName(spec, StepIndex(0)), "1");
  EXPECT_EQ(StepName(spec, StepIndex(1)), "compile");
  EXPECT_EQ(StepName(spec, StepIndex(2)), "3");
  EXPECT_EQ(StepAt(spec, StepIndex(3)), nullptr);
}

TEST(StepName, DoesNotCountServices) {
  JobSpec spec;
  spec.steps.resize(3);
  spec.steps[0].id = "db";
  spec.rare = std::make_unique<RareJobSettings>();
  spec.rare->services.resize(1);
  spec.rare->finally_steps.resize(1);
  EXPECT_TRUE(IsService(spec, StepIndex(0)));
  EXPECT_FALSE(IsService(spec, StepIndex(1)));
  EXPECT_EQ(StepName(spec, StepIndex(0)), "db");
  EXPECT_EQ(StepName(spec, StepIndex(1)), "1");
  EXPECT_EQ(StepName(spec, StepIndex(3)), "3");
}

}  // namespace
}  // namespace engine::model
