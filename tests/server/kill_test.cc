// SPDX-License-Identifier: Apache-2.0
// The real program, killed and started again: what was accepted goes on.
#include <csignal>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/client/run_client.h"
#include "tests/server/server_scene.h"
#include "tests/support/dayfly_process.h"

namespace tests::server {
namespace {

namespace client = api::client;

class Killed : public testing::Test {
 protected:
  Killed() { std::ofstream(folder_.File("server.yml")) << "# as it is without settings\n"; }

  support::Launch Launch() const {
    return {.arguments = {"server", "--config", folder_.path().string(), "--print-ready"},
            .env = {"PATH=/usr/bin:/bin"},
            .folder = folder_.path().string(),
            .errors = folder_.File("errors"),
            .output = {},
            .close_streams = false};
  }

  client::Connection Connect() const {
    client::Target target;
    target.servers = {"unix:" + folder_.File("api.sock")};
    target.patience = std::chrono::seconds(60);
    return client::Connection(std::move(target));
  }

  std::string Errors() const {
    std::ifstream file(folder_.File("errors"));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  support::TempFolder folder_;
};

TEST_F(Killed, AnAcceptedRunIsThereAgainAndCanBeCancelled) {
  std::string line;
  support::DayflyProcess first(Launch());
  ASSERT_TRUE(first.ReadLine(line)) << Errors();
  client::Connection connection = Connect();
  client::RunClient runs(connection);
  const auto answer = runs.Submit(ServerScene::Submission("a"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  const std::string run = model::ToText(answer->run);
  first.Kill();

  support::DayflyProcess second(Launch());
  ASSERT_TRUE(second.ReadLine(line)) << Errors();
  EXPECT_EQ(runs.Submit(ServerScene::Submission("a"))->run, answer->run);
  ASSERT_TRUE(runs.Cancel(run, false).ok());
  model::Status status = model::Status::kRunning;
  client::WatchHandlers handlers;
  handlers.outlined = [](const api::wire::OutlinedRun&) {};
  handlers.happened = [&](const model::Fact& fact) {
    if (const auto* ended = std::get_if<model::RunEnded>(&fact.body)) {
      status = ended->status;
    }
    return true;
  };
  ASSERT_TRUE(runs.Watch(run, false, handlers).ok());
  EXPECT_EQ(status, model::Status::kCancelled);
  kill(second.pid(), SIGTERM);
  EXPECT_EQ(second.Wait(), 0) << Errors();
}

TEST_F(Killed, ASecondServerOnTheSameFileIsRefused) {
  std::string line;
  support::DayflyProcess first(Launch());
  ASSERT_TRUE(first.ReadLine(line)) << Errors();
  support::DayflyProcess second(Launch());
  EXPECT_FALSE(second.ReadLine(line));
  EXPECT_EQ(second.Wait(), 3);
}

TEST_F(Killed, WrongSettingsAreNamedWithTheirPlace) {
  std::ofstream(folder_.File("server.yml")) << "listn: 127.0.0.1:1\n";
  std::string line;
  support::DayflyProcess server(Launch());
  EXPECT_FALSE(server.ReadLine(line));
  EXPECT_EQ(server.Wait(), 2);
  EXPECT_THAT(Errors(), testing::HasSubstr("server.yml:1:1"));
  EXPECT_THAT(Errors(), testing::HasSubstr("'listen'"));
}

}  // namespace
}  // namespace tests::server
