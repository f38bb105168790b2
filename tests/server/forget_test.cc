// SPDX-License-Identifier: Apache-2.0
// An agent remembers attempts so that it never begins one twice. It may forget them when their run
// is closed, whichever server gave them and whichever sees the run's end.
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/host/agent_folder.h"
#include "agents/journal/journal.h"
#include "tests/server/real_server.h"

namespace tests::server {
namespace {

class ForgottenRuns : public RealServer {
 protected:
  void SetUp() override {
    RealServer::SetUp();
    Set("  default: ", "{}\n  other: {}");
    StartServer();
  }
  /// Of which the agent remembers attempts, once it has left and taken all orders before.
  std::vector<engine::model::RunId> Remembered(support::DayflyProcess& agent,
                                               const std::string& folder) const {
    kill(agent.pid(), SIGTERM);
    EXPECT_EQ(agent.Wait(), 0) << Errors();
    const auto opened = agents::journal::Journal::Open(File(folder), agents::host::BootId());
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? opened->recovered.ledger.Runs() : std::vector<engine::model::RunId>{};
  }
  std::string TwoJobs(const std::string& pool_of_second) const {
    return "name: x\njobs:\n  first: { checkout: false, steps: ['true'] }\n"
           "  second:\n    needs: [first]\n    pool: " +
           pool_of_second + "\n    checkout: false\n    steps: ['" + HeldStep() + "']\n";
  }
};

TEST_F(ForgottenRuns, ThatAnotherServerBegan) {
  const auto agent = Agent(Token());
  const auto submitted = Submit(TwoJobs("default"));
  AwaitBegin();
  server_->Kill();
  StartServer();
  LetGoOn();
  ExpectSuccess(*submitted);
  EXPECT_THAT(Remembered(*agent, "agent"), testing::IsEmpty());
}

// The order to forget goes with the server that gave it.
TEST_F(ForgottenRuns, ThatWereClosedWhileTheAgentWasAway) {
  auto agent = Agent(Token());
  const auto other = Agent(Token("other"), "other");
  const auto submitted = Submit(TwoJobs("other"));
  AwaitBegin();
  agent->Kill();
  LetGoOn();
  ExpectSuccess(*submitted);
  server_->Kill();
  StartServer();
  agent = Agent("");
  ExpectSuccess(*Submit("name: y\njobs: { j: { checkout: false, steps: ['true'] } }\n"));
  EXPECT_THAT(Remembered(*agent, "agent"), testing::IsEmpty());
}

}  // namespace
}  // namespace tests::server
