// SPDX-License-Identifier: Apache-2.0
#include "engine/core/core.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"
#include "tests/support/plan_builder.h"

namespace engine::core {
namespace {

using model::NeedOn;
using model::ReasonCode;
using model::Status;
using tests::support::CoreDriver;
using tests::support::PlanBuilder;

TEST(EngineCore, RunsAChainToItsEnd) {
  PlanBuilder plan;
  plan.Job("a");
  plan.Job("b").Needs({"a"});
  CoreDriver driver(plan.Build());
  driver.Connect(2);
  driver.Submit();
  EXPECT_EQ(driver.StatusOf("b"), Status::kWaiting);
  driver.Finish("a");
  driver.Finish("b");
  ASSERT_TRUE(driver.Ended().has_value());
  EXPECT_EQ(driver.Ended()->status, Status::kSucceeded);
}

TEST(EngineCore, TheEndOfAJobStartsTheNextInTheSameStep) {
  PlanBuilder plan;
  plan.Job("a");
  plan.Job("b").Needs({"a"});
  CoreDriver driver(plan.Build());
  driver.Connect(1);
  driver.Submit();
  const Decisions& decisions = driver.Finish("a");
  ASSERT_EQ(decisions.effects.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<model::DispatchAttempt>(decisions.effects[0]));
}

TEST(EngineCore, AJobWithOneStepCostsAtMostEightFacts) {
  PlanBuilder plan;
  plan.Job("a").Run("true");
  CoreDriver driver(plan.Build());
  driver.Submit();
  driver.Connect(1);
  driver.Report("a", model::ReportStarted());
  driver.Report("a", model::ReportStepStarted());
  driver.Report("a", model::ReportStepEnded());
  driver.Report("a", model::ReportEnded());
  const auto of_job = std::count_if(
      driver.facts().begin(), driver.facts().end(),
      [](const model::Fact& fact) { return ToText(fact).find("job=") != std::string::npos; });
  EXPECT_LE(of_job, 8);
  EXPECT_EQ(driver.Ended()->status, Status::kSucceeded);
}

}  // namespace
}  // namespace engine::core
