// SPDX-License-Identifier: Apache-2.0
// The real program as server, agent and client: what is submitted runs on the agent, and goes on
// when either of them is killed in the middle of a step.
#include <csignal>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/server/real_server.h"

namespace tests::server {
namespace {

using support::DayflyProcess;

class Worker : public RealServer {
 protected:
  void SetUp() override {
    RealServer::SetUp();
    Set("  default: ", "{}");
    StartServer();
  }
  void StartAgent(const std::string& token) { agent_ = Agent(token); }
  /// A job whose step leaves a line each time it was done.
  std::string HeldPipeline() const {
    return fmt::format(
        "name: held\njobs:\n  held:\n    checkout: false\n    steps:\n"
        "      - run: {0}; echo done >> {1}\n"
        "      - test \"$(wc -l < {1})\" = 1\n",
        HeldStep(), File("done"));
  }

  std::unique_ptr<DayflyProcess> agent_;
};

TEST_F(Worker, RunsWhatWasSubmittedAndHandsOutputsOn) {
  StartAgent(Token());
  const auto submitted = Submit(
      "name: two\njobs:\n"
      "  one:\n    checkout: false\n    outputs: { n: \"${{ steps.o.outputs.n }}\" }\n"
      "    steps: [{ id: o, run: 'echo n=42 >> \"$DAYFLY_OUTPUT\"' }]\n"
      "  two:\n    needs: [one]\n    checkout: false\n"
      "    steps: ['test \"${{ needs.one.outputs.n }}\" = 42']\n");
  ExpectSuccess(*submitted);
}

TEST_F(Worker, PassesTheRunsExitCodeOn) {
  StartAgent(Token());
  EXPECT_EQ(Submit("name: no\njobs: { j: { checkout: false, steps: ['false'] } }\n")->Wait(), 1);
}

TEST_F(Worker, ATokenLetsOneWorkerIn) {
  const std::string token = Token();
  StartAgent(token);
  ExpectSuccess(*Submit("name: x\njobs: { j: { checkout: false, steps: ['true'] } }\n"));
  const auto second = Agent(token, "second");
  EXPECT_EQ(second->Wait(), 2);
  EXPECT_THAT(TextOf(File("second.errors")), testing::HasSubstr("token"));
}

TEST_F(Worker, AnAgentKilledInAStepGoesOnWithIt) {
  StartAgent(Token());
  const auto submitted = Submit(HeldPipeline());
  AwaitBegin();
  agent_->Kill();
  StartAgent("");
  LetGoOn();
  ExpectSuccess(*submitted);
}

TEST_F(Worker, AServerKilledInAStepFindsItGoingOn) {
  StartAgent(Token());
  const auto submitted = Submit(HeldPipeline());
  AwaitBegin();
  server_->Kill();
  StartServer();
  LetGoOn();
  ExpectSuccess(*submitted);
}

TEST_F(Worker, BothKilledInAStepGoOn) {
  StartAgent(Token());
  const auto submitted = Submit(HeldPipeline());
  AwaitBegin();
  agent_->Kill();
  server_->Kill();
  StartServer();
  StartAgent("");
  LetGoOn();
  ExpectSuccess(*submitted);
}

TEST_F(Worker, ToldToEndItFinishesWhatItHas) {
  StartAgent(Token());
  const auto submitted = Submit(HeldPipeline());
  AwaitBegin();
  kill(agent_->pid(), SIGTERM);
  LetGoOn();
  ExpectSuccess(*submitted);
  EXPECT_EQ(agent_->Wait(), 0) << TextOf(File("agent.errors"));
}

}  // namespace
}  // namespace tests::server
