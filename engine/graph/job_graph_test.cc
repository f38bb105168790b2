// SPDX-License-Identifier: Apache-2.0
#include "engine/graph/job_graph.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/plan_builder.h"

namespace engine::graph {
namespace {

using base::AsIndex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::support::PlanBuilder;

std::shared_ptr<const JobGraph> BuildOrDie(const model::Plan& plan) {
  auto graph = JobGraph::Build(plan);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return *graph;
}

std::size_t EdgeCount(const JobGraph& graph) {
  std::size_t edges = 0;
  for (std::uint32_t node = 0; node < graph.node_count(); ++node) {
    edges += graph.Dependents(NodeIndex(node)).size();
  }
  return edges;
}

TEST(JobGraph, StagesCostOneEdgeAMemberAndOneADependant) {
  PlanBuilder plan;
  plan.Stages({"first", "second"});
  for (int i = 0; i < 5000; ++i) {
    plan.Job("a" + std::to_string(i)).Stage("first");
  }
  for (int i = 0; i < 5000; ++i) {
    plan.Job("b" + std::to_string(i)).Stage("second");
  }
  const auto ref = plan.Build();
  const auto graph = BuildOrDie(*ref);
  EXPECT_EQ(EdgeCount(*graph), 5000U + 5000U + 5000U + 1U);
}

TEST(JobGraph, AMatrixThatNeedsAnotherIsOneEdge) {
  PlanBuilder plan;
  const std::vector<std::string> values(30, "x");
  plan.Job("a").Matrix("i", values).Matrix("j", values);
  plan.Job("b").Needs({"a"}).Matrix("i", values).Matrix("j", values);
  const auto ref = plan.Build();
  const auto graph = BuildOrDie(*ref);
  EXPECT_EQ(EdgeCount(*graph), 1U);
  EXPECT_EQ(graph->CellsOf(model::SpecIndex(1)).first.value(), 900U);
  EXPECT_EQ(graph->CellsOf(model::SpecIndex(1)).count, 900U);
}

TEST(JobGraph, OrderPutsEveryNodeAfterWhatItWaitsFor) {
  PlanBuilder plan;
  plan.Stages({"build", "test"});
  plan.Job("z").Stage("test");
  plan.Job("a").Stage("build");
  plan.Job("b").Stage("build").Needs({"a"});
  const auto ref = plan.Build();
  const auto graph = BuildOrDie(*ref);
  std::vector<std::size_t> position(graph->node_count());
  for (std::size_t i = 0; i < graph->Order().size(); ++i) {
    position[AsIndex(graph->Order()[i])] = i;
  }
  for (std::uint32_t node = 0; node < graph->node_count(); ++node) {
    for (const NodeIndex dependent : graph->Dependents(NodeIndex(node))) {
      EXPECT_LT(position[node], position[AsIndex(dependent)]);
    }
  }
  EXPECT_EQ(graph->Incoming(NodeIndex(0)), 1U) << "z waits for the first stage";
}

TEST(JobGraph, WithoutDurationsTheRemainingPathCountsJobs) {
  PlanBuilder plan;
  plan.Job("a");
  plan.Job("b").Needs({"a"});
  plan.Job("c").Needs({"a"});
  plan.Job("d").Needs({"c"});
  const auto ref = plan.Build();
  EXPECT_THAT(BuildOrDie(*ref)->LongestRemaining({}), ElementsAre(3, 1, 2, 1));
}

TEST(JobGraph, DurationsCountInMillisecondsAndUnknownOnesAsTheirMean) {
  using std::chrono::milliseconds;
  PlanBuilder plan;
  plan.Job("a");
  plan.Job("b").Needs({"a"});
  plan.Job("c").Needs({"b"});
  const auto ref = plan.Build();
  const std::vector<base::Duration> durations = {milliseconds(10), milliseconds(0),
                                                 milliseconds(30)};
  EXPECT_THAT(BuildOrDie(*ref)->LongestRemaining(durations), ElementsAre(60, 50, 30));
}

TEST(JobGraph, StagesAddNothingToAPath) {
  PlanBuilder plan;
  plan.Stages({"a", "b", "c"});
  plan.Job("x").Stage("a");
  plan.Job("y").Stage("c");
  const auto ref = plan.Build();
  EXPECT_THAT(BuildOrDie(*ref)->LongestRemaining({}), ElementsAre(2, 1));
}

TEST(JobGraph, ACycleIsAnErrorThatShowsItsPath) {
  model::Plan plan;
  plan.specs.resize(3);
  const char* names[] = {"a", "b", "c"};
  for (std::uint32_t i = 0; i < 3; ++i) {
    plan.specs[i].name = names[i];
    plan.specs[i].needs.push_back({.spec = model::SpecIndex((i + 1) % 3)});
    plan.jobs.push_back({.spec = model::SpecIndex(i), .cell = {}});
  }
  const auto graph = JobGraph::Build(plan);
  ASSERT_FALSE(graph.ok());
  EXPECT_THAT(std::string(base::Message(graph.status())), HasSubstr("a -> b -> c -> a"));
}

TEST(JobGraph, AStageThatWaitsForALaterOneIsACycle) {
  PlanBuilder builder;
  builder.Stages({"first", "second"});
  builder.Job("late").Stage("second");
  builder.Job("early").Stage("first").Needs({"late"});
  const auto ref = builder.Build();
  const std::vector<model::SpecIndex> cycle = FindCycle(*ref);
  ASSERT_EQ(cycle.size(), 3U);
  EXPECT_EQ(cycle.front(), cycle.back());
}

TEST(JobGraph, ALongChainNeedsNoDeepStack) {
  model::Plan big;
  big.specs.resize(200'000);
  for (std::uint32_t i = 0; i < big.specs.size(); ++i) {
    if (i > 0) {
      big.specs[i].needs.push_back({.spec = model::SpecIndex(i - 1)});
    }
    big.jobs.push_back({.spec = model::SpecIndex(i), .cell = {}});
  }
  const auto graph = BuildOrDie(big);
  EXPECT_EQ(graph->LongestRemaining({}).front(), 200'000U);
  EXPECT_TRUE(FindCycle(big).empty());
}

TEST(JobGraph, RefusesIndicesOutOfRange) {
  model::Plan plan;
  plan.specs.resize(1);
  plan.jobs.push_back({.spec = model::SpecIndex(7), .cell = {}});
  EXPECT_FALSE(JobGraph::Build(plan).ok());
  plan.jobs[0].spec = model::SpecIndex(0);
  plan.specs[0].needs.push_back({.spec = model::SpecIndex(9)});
  EXPECT_FALSE(JobGraph::Build(plan).ok());
}

}  // namespace
}  // namespace engine::graph
