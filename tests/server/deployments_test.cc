// SPDX-License-Identifier: Apache-2.0
// `dayfly deployments` at a server: what goes on, what is over, and the same from another life of
// the server.
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/server/real_server.h"
#include "tests/support/postgres_cluster.h"

namespace tests::server {
namespace {

using testing::HasSubstr;

class Deployments : public RealServer, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    RealServer::SetUp();
    Set("  default: ", "{}");
    if (GetParam() == std::string("Postgres")) {
      Set("store: ", fmt::format("\"postgres:{}\"", support::SharedCluster().NewDatabase()));
    }
    StartServer();
    agent_ = Agent(Token());
  }
  static std::string Deploy(const std::string& step) {
    return fmt::format(
        "name: ship\njobs:\n  deploy:\n    checkout: false\n"
        "    matrix: {{ where: [eu] }}\n"
        "    environment: {{ name: \"${{{{ matrix.where }}}}\", url: \"https://example.org\" }}\n"
        "    steps: ['{}']\n",
        step);
  }
  support::Lines Eu() const {
    const support::Ended listed = Run({"deployments", "eu", "--format", "json"});
    EXPECT_EQ(listed.exit_code, 0) << Errors();
    return listed.lines;
  }
  std::unique_ptr<support::DayflyProcess> agent_;
};

TEST_P(Deployments, WhatGoesOnAndWhatIsOver) {
  EXPECT_THAT(Run({"deployments"}).text, HasSubstr("no deployment is kept in "));
  const auto submitted = Submit(Deploy(HeldStep()));
  AwaitBegin();
  support::Lines listed = Eu();
  ASSERT_EQ(listed.size(), 1U) << Errors();
  EXPECT_EQ(listed[0]["status"], "running");
  EXPECT_EQ(listed[0]["alive"], true);
  EXPECT_EQ(listed[0]["job"], "deploy[eu]");
  EXPECT_EQ(listed[0]["pipeline"], "ship");
  EXPECT_EQ(listed[0]["current"], false);
  EXPECT_TRUE(listed[0]["started_at"].is_string());
  LetGoOn();
  ExpectSuccess(*submitted);
  const std::string failed = SubmitOnly(Deploy("exit 4"));
  EXPECT_EQ(Run({"watch", failed}).exit_code, 1);
  listed = Eu();
  ASSERT_EQ(listed.size(), 2U) << Errors();
  EXPECT_EQ(listed[0]["run"], failed);
  EXPECT_EQ(listed[0]["message"], "exit code 4");
  EXPECT_EQ(listed[1]["status"], "succeeded");
  EXPECT_EQ(listed[1]["current"], true);
  EXPECT_EQ(listed[1]["url"], "https://example.org");
  EXPECT_FALSE(listed[1]["by"].get<std::string>().empty());
  RestartServer();
  EXPECT_EQ(Eu(), listed) << "after a kill";
  const auto overview = Run({"deployments", "--format", "json"}).lines.at(0);
  EXPECT_EQ(overview["current"], listed[1]);
  EXPECT_EQ(overview["newest"], listed[0]);
  EXPECT_EQ(Run({"deployments", "ue"}).exit_code, 2);
  EXPECT_THAT(Errors(), HasSubstr("did you mean 'eu'?"));
  EXPECT_EQ(Run({"deployments", "eu", "--limit", "1"}).exit_code, 0);
}

INSTANTIATE_TEST_SUITE_P(Stores, Deployments, testing::Values("Sqlite", "Postgres"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace tests::server
