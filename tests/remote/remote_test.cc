// SPDX-License-Identifier: Apache-2.0
// Server and agent over real TLS: what is run, what survives a cut and a failover.
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <thread>

#include <gtest/gtest.h>

#include "tests/remote/test_agent.h"
#include "tests/remote/test_server.h"
#include "tests/support/plan_builder.h"

namespace tests::remote {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using support::PlanBuilder;

constexpr model::RunId kRun{0x18c2f00000001234};

class RemoteTest : public testing::Test {
 protected:
  RemoteTest() { context_.workspace = folder_.File("ws"); }

  agents::session::AgentIdentity Join(TestServer& server) {
    auto identity = agents::session::Enrol({.servers = {server.address()},
                                            .join_token = server.Token(),
                                            .host = "box",
                                            .now = world_.UtcNow()});
    EXPECT_TRUE(identity.ok()) << identity.status();
    return *std::move(identity);
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(folder_.File(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  /// A job that says that it runs, and then waits for `Release`.
  model::PlanRef WaitingPlan() {
    EXPECT_EQ(::mkfifo(folder_.File("gate").c_str(), 0600), 0);
    PlanBuilder plan;
    plan.Job("waits").Run("echo ran >> " + folder_.File("log") + "; cat " + folder_.File("gate"));
    plan.Job("after").Needs({"waits"}).Run("echo after >> " + folder_.File("log"));
    return plan.Build();
  }
  void Release() {
    // Opening a FIFO waits for its reader.
    std::thread([path = folder_.File("gate")] { std::ofstream(path) << "go"; }).detach();
  }
  bool Runs() const { return Read("log") == "ran\n"; }
  static bool Ended(const TestServer& server) {
    return !server.facts().All<model::RunEnded>().empty();
  }
  static model::Status Outcome(const TestServer& server) {
    const auto ends = server.facts().All<model::RunEnded>();
    return ends.size() == 1 ? ends[0].status : model::Status::kWaiting;
  }

  support::TempFolder folder_;
  World world_;
  model::RunContext context_;
};

TEST_F(RemoteTest, RunsAPipelineOverTls) {
  TestServer server(world_);
  server.Own();
  TestAgent agent(Join(server), {server.address()});
  PlanBuilder plan;
  plan.Job("first").Run("echo word=hello >> $DAYFLY_OUTPUT").Output("said", "${{ 'hello' }}");
  plan.Job("second").Needs({"first"}).Run("echo ${{ needs.first.outputs.said }} > " +
                                          folder_.File("log"));
  plan.Job("third").Matrix("n", {"1", "2"}).Run("test ${{ matrix.n }} -gt 0");
  server.Submit(kRun, plan.Build(), context_);
  ASSERT_TRUE(agent.RunUntil([&] { return Ended(server); }));
  EXPECT_EQ(Outcome(server), model::Status::kSucceeded);
  EXPECT_EQ(Read("log"), "hello\n");
  EXPECT_EQ(server.facts().All<model::AttemptAssigned>().size(), 4U);
  EXPECT_TRUE(agent.RunUntil([&] { return agent.session().reports_held() == 0; }));
}

TEST_F(RemoteTest, GoesOnAfterItsStreamWasCut) {
  TestServer server(world_);
  server.Own();
  const std::string second = server.Listen();
  TestAgent agent(Join(server), {server.address(), second});
  server.Submit(kRun, WaitingPlan(), context_);
  ASSERT_TRUE(agent.RunUntil([&] { return Runs(); }));
  const model::SessionId session = agent.session().session();
  server.CutOff(0);
  Release();
  ASSERT_TRUE(agent.RunUntil([&] { return Ended(server); }));
  EXPECT_EQ(Outcome(server), model::Status::kSucceeded);
  EXPECT_EQ(Read("log"), "ran\nafter\n");
  EXPECT_EQ(server.facts().All<model::AttemptAssigned>().size(), 2U);
  EXPECT_EQ(agent.session().session(), session);
}

TEST_F(RemoteTest, AnotherServerAdoptsWhatRuns) {
  auto first = std::make_unique<TestServer>(world_);
  TestServer standby(world_);
  first->Own();
  TestAgent agent(Join(*first), {first->address(), standby.address()});
  first->Submit(kRun, WaitingPlan(), context_);
  ASSERT_TRUE(agent.RunUntil([&] { return Runs(); }));
  ASSERT_TRUE(agent.RunUntil([&] { return agent.session().reports_held() == 0; }));
  first->Die();
  Release();
  standby.Own();
  ASSERT_TRUE(agent.RunUntil([&] { return Ended(standby); }));
  EXPECT_EQ(Outcome(standby), model::Status::kSucceeded);
  EXPECT_EQ(Read("log"), "ran\nafter\n");
  EXPECT_EQ(standby.facts().All<model::AttemptAssigned>().size(), 1U) << "only the second job";
}

TEST_F(RemoteTest, FollowsToTheOwner) {
  TestServer owner(world_);
  TestServer standby(world_);
  owner.Own();
  standby.PointTo(owner.address());
  TestAgent agent(Join(owner), {standby.address()});
  EXPECT_TRUE(agent.RunUntil([&] { return agent.session().live(); }));
}

TEST_F(RemoteTest, ARetiredWorkerIsRefusedForEver) {
  TestServer server(world_);
  server.Own();
  const agents::session::AgentIdentity identity = Join(server);
  TestAgent agent(identity, {server.address()});
  ASSERT_TRUE(agent.RunUntil([&] { return agent.session().live(); }));
  server.Retire(identity.worker);
  EXPECT_TRUE(agent.RunUntil([&] { return !agent.gave_up().empty(); }));
  TestAgent stolen(identity, {server.address()});
  EXPECT_TRUE(stolen.RunUntil([&] { return !stolen.gave_up().empty(); }));
  EXPECT_NE(stolen.gave_up().find("retired"), std::string::npos) << stolen.gave_up();
}

TEST_F(RemoteTest, RenewsItsCertificateAtHalfOfItsLife) {
  TestServer server(world_);
  server.Own();
  const agents::session::AgentIdentity identity = Join(server);
  TestAgent agent(identity, {server.address()});
  agent.utc_ahead = std::chrono::hours(2);
  ASSERT_TRUE(agent.RunUntil([&] { return agent.session().live(); }));
  EXPECT_TRUE(agent.RunUntil([&] { return agent.renewed() > 0; }));
}

}  // namespace
}  // namespace tests::remote
