// SPDX-License-Identifier: Apache-2.0
// Approvals at a server, with the real program on all sides: who answers, and what comes of it.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/real_server.h"

namespace tests::server {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class ServerApprovals : public RealServer {
 protected:
  void SetUp() override {
    RealServer::SetUp();
    Set("  default: ", "{}");
    StartServer();
  }

  static json ReadUntil(support::DayflyProcess& watch, const std::string& event) {
    for (std::string line; watch.ReadLine(line);) {
      json object = json::parse(line);
      if (object["event"] == event) {
        return object;
      }
    }
    ADD_FAILURE() << "no " << event;
    return {};
  }
};

constexpr char kAsks[] =
    "name: asks\njobs:\n  deploy:\n    checkout: false\n"
    "    approval: { inputs: { note: { required: true } } }\n"
    "    steps: ['test \"${{ approval.inputs.note }} ${{ approval.by }}\" = \"go local\"']\n";

TEST_F(ServerApprovals, AnAnswerLetsTheJobGoOnAndASecondIsRefused) {
  const auto agent = Agent(Token());
  const std::string run = SubmitOnly(kAsks);
  support::DayflyProcess watch(Launch({"watch", run, "--output", "json"}, "watch"));
  EXPECT_EQ(ReadUntil(watch, "approval_requested")["job"], "deploy");
  EXPECT_THAT(Run({"explain", run, "deploy"}).text, HasSubstr("anyone to approve"));
  EXPECT_EQ(Run({"approve", run, "deploy"}).exit_code, 2) << "an input is missing";
  EXPECT_EQ(Run({"approve", run, "nobody", "--input", "note=go"}).exit_code, 2);
  const support::Ended given = Run({"approve", run, "deploy", "--input", "note=go"});
  EXPECT_EQ(given.exit_code, 0) << Errors();
  EXPECT_THAT(given.text, HasSubstr("deploy approved"));
  EXPECT_EQ(ReadUntil(watch, "run_ended")["status"], "succeeded") << Errors();
  EXPECT_EQ(watch.Wait(), 0);
  EXPECT_EQ(Run({"approve", run, "deploy", "--input", "note=go"}).exit_code, 2) << "it has ended";
}

TEST_F(ServerApprovals, AnAnswerOutlivesTheServerAndANoEndsTheJob) {
  const std::string yes = SubmitOnly(kAsks);
  const std::string no = SubmitOnly(kAsks);
  for (const std::string& run : {yes, no}) {
    support::DayflyProcess watch(Launch({"watch", run, "--output", "json"}, "watch-" + run));
    ReadUntil(watch, "approval_requested");
  }
  EXPECT_EQ(Run({"approve", yes, "deploy", "--input", "note=go"}).exit_code, 0) << Errors();
  EXPECT_EQ(Run({"approve", no, "deploy", "--reject"}).exit_code, 0) << Errors();
  RestartServer();
  EXPECT_EQ(Run({"watch", no, "--output", "plain"}).exit_code, 1);
  const auto agent = Agent(Token());
  EXPECT_EQ(Run({"watch", yes, "--output", "plain"}).exit_code, 0) << Errors();
}

}  // namespace
}  // namespace tests::server
