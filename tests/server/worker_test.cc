// SPDX-License-Identifier: Apache-2.0
// The real program as server, agent and client: what is submitted runs on the agent, and goes on
// when either of them is killed in the middle of a step.
#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dayfly_process.h"
#include "tests/support/temp_folder.h"

namespace tests::server {
namespace {

using support::DayflyProcess;

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Worker : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(Run({"server", "init", File("srv"), "--host", "127.0.0.1"}).exit_code, 0);
    Listen("127.0.0.1:0");
    StartServer();
    // The same port again after a kill: agents know no other address.
    Listen(address_);
  }

  std::string File(const std::string& name) const { return folder_.File(name); }
  support::Launch Launch(std::vector<std::string> arguments, const std::string& name) const {
    return {.arguments = std::move(arguments),
            .env = {"PATH=/usr/bin:/bin", "HOME=" + folder_.path().string(),
                    "DAYFLY_SERVER=unix:" + File("srv/api.sock")},
            .folder = folder_.path().string(),
            .errors = File(name + ".errors"),
            .output = {},
            .close_streams = false};
  }
  support::Ended Run(std::vector<std::string> arguments) const {
    return support::RunDayfly(Launch(std::move(arguments), "call"));
  }

  void Listen(const std::string& address) const {
    std::string settings = TextOf(File("srv/server.yml"));
    const std::size_t from = settings.find("\nlisten: ") + 1;
    settings.replace(from, settings.find('\n', from) - from, "listen: " + address);
    std::ofstream(File("srv/server.yml")) << settings;
  }
  void StartServer() {
    server_ = std::make_unique<DayflyProcess>(
        Launch({"server", "--config", File("srv"), "--print-ready"}, "server"));
    std::string ready;
    ASSERT_TRUE(server_->ReadLine(ready)) << TextOf(File("server.errors"));
    address_ = ready.substr(ready.rfind(' ') + 1);
  }
  std::string Token() const {
    std::string token = Run({"workers", "token", "--pool", "default"}).text;
    return token.substr(0, token.find('\n'));
  }
  void StartAgent(const std::string& token) {
    std::vector<std::string> arguments = {"agent", "--server", address_,     "--slots",
                                          "1",     "--folder", File("agent")};
    if (!token.empty()) {
      arguments.insert(arguments.end(), {"--token", token});
    }
    agent_ = std::make_unique<DayflyProcess>(Launch(std::move(arguments), "agent"));
  }
  std::unique_ptr<DayflyProcess> Submit(const std::string& pipeline) const {
    std::ofstream(File("ci.yml")) << pipeline;
    return std::make_unique<DayflyProcess>(Launch({"submit", "ci.yml", "--watch"}, "submit"));
  }

  /// A job whose step says that it began and then waits to be let go on; it leaves a line each time
  /// it does.
  std::string HeldPipeline() const {
    for (const char* pipe : {"began", "gate"}) {
      EXPECT_EQ(mkfifo(File(pipe).c_str(), 0666), 0);
    }
    return fmt::format(
        "name: held\njobs:\n  held:\n    checkout: false\n    steps:\n"
        "      - run: echo here > {0}; cat {1} > /dev/null; echo done >> {2}\n"
        "      - test \"$(wc -l < {2})\" = 1\n",
        File("began"), File("gate"), File("done"));
  }
  void AwaitBegin() const { EXPECT_EQ(TextOf(File("began")), "here\n"); }
  void LetGoOn() const { std::ofstream(File("gate")) << "go\n"; }
  void ExpectSuccess(DayflyProcess& submitted) const {
    EXPECT_EQ(submitted.Wait(), 0) << TextOf(File("submit.errors")) << TextOf(File("agent.errors"))
                                   << TextOf(File("server.errors"));
  }

  support::TempFolder folder_;
  std::string address_;
  std::unique_ptr<DayflyProcess> server_;
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
  DayflyProcess second(Launch({"agent", "--server", address_, "--folder", File("other"),  //
                               "--token", token},
                              "second"));
  EXPECT_EQ(second.Wait(), 2);
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
