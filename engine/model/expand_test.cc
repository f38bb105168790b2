// SPDX-License-Identifier: Apache-2.0
#include "engine/model/expand.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace engine::model {
namespace {

using testing::ElementsAre;

JobSpec EachJob(std::string name, std::uint32_t at) {
  JobSpec spec;
  spec.name = std::move(name);
  spec.matrix = std::make_shared<MatrixSpec>();
  spec.matrix->keys = {"value", "index", "name"};
  spec.matrix->first_cell = JobIndex(at);
  spec.matrix->cell_count = 1;
  spec.matrix->each = {.list = "x", .at = {}, .second_cell = {}};
  return spec;
}

Need On(std::uint32_t spec) {
  Need need;
  need.spec = SpecIndex(spec);
  return need;
}

/// list; deploy for each, after list; smoke for each, after deploy; report.
PlanRef Written() {
  auto plan = std::make_shared<Plan>();
  plan->specs.emplace_back().name = "list";
  plan->specs.push_back(EachJob("deploy", 1));
  plan->specs.back().needs = {On(0)};
  plan->specs.push_back(EachJob("smoke", 2));
  plan->specs.back().needs = {On(1)};
  plan->specs.emplace_back().name = "report";
  for (std::uint32_t i = 0; i < 4; ++i) {
    const bool is_each = i == 1 || i == 2;
    plan->jobs.push_back({.spec = SpecIndex(i), .cell = std::vector<JsonText>(is_each ? 3 : 0)});
  }
  return plan;
}

Expansion Values(std::uint32_t job, const std::vector<std::string>& names) {
  Expansion expansion{.job = JobIndex(job), .values = {}};
  for (const std::string& name : names) {
    expansion.values.push_back({.name = name, .value = "\"" + name + "\""});
  }
  return expansion;
}

std::vector<std::string> NamesOf(const Plan& plan) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < plan.jobs.size(); ++i) {
    names.push_back(JobName(plan, JobIndex(i)));
  }
  return names;
}

CarriedJob Ended(std::uint32_t job, Status status) {
  CarriedJob ended;
  ended.job = JobIndex(job);
  ended.result.status = status;
  return ended;
}

TEST(Expand, ThePlaceholderBecomesTheFirstAndTheOthersStandBehindAll) {
  const PlanRef written = Written();
  const PlanRef grown = Expand(*written, Values(1, {"eu", "us"}));
  EXPECT_THAT(NamesOf(*grown), ElementsAre("list", "deploy[eu]", "smoke", "report", "deploy[us]"));
  EXPECT_THAT(grown->jobs[4].cell, ElementsAre("\"us\"", "2", "\"us\""));
  EXPECT_EQ(CellAt(*grown->specs[1].matrix, 1), JobIndex(4));
  EXPECT_THAT(NamesOf(*written), ElementsAre("list", "deploy", "smoke", "report"));
}

TEST(Expand, OnlyAPlaceholderCanBeExpanded) {
  const PlanRef written = Written();
  EXPECT_TRUE(CanExpand(*written, Values(1, {"eu"})));
  EXPECT_FALSE(CanExpand(*written, Values(0, {"eu"})));
  EXPECT_FALSE(CanExpand(*written, Values(9, {"eu"})));
  EXPECT_FALSE(CanExpand(*written, Values(1, {})));
  for (const char* name : {"a\nb", "\u009b31mred", "\u202egnp.exe", "a\u2028b"}) {
    EXPECT_FALSE(CanExpand(*written, Values(1, {name})));
  }
  EXPECT_TRUE(CanExpand(*written, Values(1, {"größe·東"})));
  EXPECT_FALSE(CanExpand(*Expand(*written, Values(1, {"eu"})), Values(1, {"eu"})));
}

TEST(Expand, WhatMadeAPlanMakesItAgain) {
  PlanRef grown = Expand(*Written(), Values(2, {"one"}));
  grown = Expand(*grown, Values(1, {"eu", "us", "ap"}));
  const std::vector<Expansion> expansions = ExpansionsOf(*grown);
  EXPECT_THAT(expansions, ElementsAre(Values(2, {"one"}), Values(1, {"eu", "us", "ap"})));
  PlanRef again = Written();
  for (const Expansion& expansion : expansions) {
    again = Expand(*again, expansion);
  }
  EXPECT_EQ(again->jobs, grown->jobs);
}

TEST(CarryOver, AListIsTakenOverWithWhatItIsMadeOf) {
  const PlanRef grown = Expand(*Expand(*Written(), Values(1, {"eu", "us"})), Values(2, {"x", "y"}));
  // list, deploy[eu], smoke[x], report, deploy[us], smoke[y]
  const CarriedOver carried =
      CarryOver(*Written(), *grown,
                std::vector{Ended(0, Status::kSucceeded), Ended(1, Status::kSucceeded),
                            Ended(4, Status::kFailed), Ended(2, Status::kSucceeded)},
                RunId(7));
  // One of deploy's cells failed, so smoke's list may come out differently.
  EXPECT_THAT(carried.expanded, ElementsAre(Values(1, {"eu", "us"})));
  ASSERT_EQ(carried.jobs.size(), 2U);
  EXPECT_EQ(carried.jobs[0].job, JobIndex(0));
  EXPECT_EQ(carried.jobs[1].job, JobIndex(1));
  EXPECT_EQ(carried.jobs[1].result.reason.code, ReasonCode::kReused);
  EXPECT_EQ(carried.jobs[1].result.reason.subject, ToText(RunId(7)));
  EXPECT_FALSE(carried.all);
}

TEST(CarryOver, AListIsNotTakenOverWithoutWhatStandsFarBeforeIt) {
  auto written = std::make_shared<Plan>(*Written());
  // smoke needs report, which needs list: of the last nothing is taken over.
  written->specs[2].needs = {{.spec = SpecIndex(3)}};
  written->specs[3].needs = {{.spec = SpecIndex(0)}};
  const PlanRef grown = Expand(*written, Values(2, {"x"}));
  const std::vector results = {Ended(2, Status::kSucceeded), Ended(3, Status::kSucceeded)};
  EXPECT_TRUE(CarryOver(*written, *grown, results, RunId(7)).expanded.empty());
  // The same by stages.
  written->specs[2].needs.clear();
  written->specs[2].has_needs = false;
  written->specs[0].stage = 0;
  written->specs[2].stage = 1;
  const PlanRef staged = Expand(*written, Values(2, {"x"}));
  EXPECT_TRUE(CarryOver(*written, *staged, results, RunId(7)).expanded.empty());
}

TEST(CarryOver, JobsOfALaterListMoveUpWhenAnEarlierOneIsNotTakenOver) {
  auto written = std::make_shared<Plan>(*Written());
  written->specs[2].needs.clear();
  const PlanRef grown = Expand(*Expand(*written, Values(1, {"eu", "us"})), Values(2, {"x", "y"}));
  const CarriedOver carried =
      CarryOver(*written, *grown,
                std::vector{Ended(0, Status::kFailed), Ended(5, Status::kSucceeded)}, RunId(7));
  EXPECT_THAT(carried.expanded, ElementsAre(Values(2, {"x", "y"})));
  ASSERT_EQ(carried.jobs.size(), 1U);
  EXPECT_EQ(carried.jobs[0].job, JobIndex(4));
}

TEST(CarryOver, NothingIsLeftWhenAllEndedWell) {
  const PlanRef grown = Expand(*Expand(*Written(), Values(1, {"eu", "us"})), Values(2, {"x"}));
  std::vector<CarriedJob> results;
  for (std::uint32_t i = 0; i < grown->jobs.size(); ++i) {
    results.push_back(Ended(i, Status::kSucceeded));
  }
  EXPECT_TRUE(CarryOver(*Written(), *grown, results, RunId(7)).all);
}

}  // namespace
}  // namespace engine::model
