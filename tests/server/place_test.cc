// SPDX-License-Identifier: Apache-2.0
// Jobs that ask for more than a worker of their pool: they wait for one that has it, say so, and
// nobody is started for nothing.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/server/real_server.h"

namespace tests::server {
namespace {

using support::DayflyProcess;
using testing::HasSubstr;

std::string OneJob(const std::string& name, const std::string& keys) {
  return fmt::format("name: {0}\njobs:\n  {0}:\n    checkout: false\n{1}    steps: ['echo {0}']\n",
                     name, keys);
}

class Place : public RealServer {
 protected:
  std::unique_ptr<DayflyProcess> LabelledAgent(const std::string& name,
                                               const std::string& label) const {
    return std::make_unique<DayflyProcess>(
        Launch({"agent", "--server", address_, "--slots", "1", "--folder", File(name), "--token",
                Token(), "--label", label},
               name));
  }
  /// Asks until the answer holds it: each comes of what is durable.
  void Await(const std::vector<std::string>& question, const std::string& text) const {
    while (!HasFailure() && Run(question).text.find(text) == std::string::npos) {
    }
  }
  void ExpectEnd(const std::string& run) const {
    EXPECT_EQ(Run({"watch", run}).exit_code, 0) << Errors();
  }
};

TEST_F(Place, AJobWaitsForAWorkerWithItsLabel) {
  Set("  default: ", "{}");
  StartServer();
  const auto plain = Agent(Token(), "plain");
  const std::string run = SubmitOnly(OneJob("fast", "    requires: { disk: ssd }\n"));
  Await({"explain", run}, "no worker of pool default offers label disk=ssd (1 worker)");
  // Others pass it by.
  ExpectEnd(SubmitOnly(OneJob("other", "    requires: { os: linux }\n")));
  const auto fast = LabelledAgent("fast", "disk=ssd");
  ExpectEnd(run);
  Await({"workers"}, "disk=ssd os=linux");
  Await({"workers", "--format", "json"}, "\"disk\":\"ssd\",\"os\":\"linux\"");
}

TEST_F(Place, WhatNobodyOffersEndsAtItsQueueTimeout) {
  Set("  default: ", "{}");
  StartServer();
  const auto plain = Agent(Token(), "plain");
  ExpectEnd(SubmitOnly(OneJob("first", "")));  // by a worker that is there from now on
  const std::string run = SubmitOnly(OneJob("image", "    image: gcc:13\n    queue_timeout: 1s\n"));
  EXPECT_EQ(Run({"watch", run}).exit_code, 1);
  EXPECT_THAT(Run({"show", run}).text,
              HasSubstr("no worker of pool default offers sandbox container (1 worker)"));
}

TEST_F(Place, AJobThatWaitsForItsServicesSaysSo) {
  Set("  default: ", "{}");
  StartServer();
  const auto agent = Agent(Token(), "plain");
  const std::string run = SubmitOnly(OneJob(
      "held", "    services: { web: { run: exec sleep 1000, ready: { log: listening } } }\n"));
  Await({"explain", run}, "its steps begin when its services are ready: web (since 20");
  EXPECT_EQ(Run({"cancel", run}).exit_code, 0);
  EXPECT_EQ(Run({"watch", run}).exit_code, 1);
}

TEST_F(Place, AWorkerIsStartedOnlyForJobsThatItFits) {
  Set("  default: ", "{ max: 2, slots: 1, labels: { disk: ssd } }");
  StartServer();
  const std::string vain = SubmitOnly(OneJob("vain", "    requires: { disk: tape }\n"));
  Await({"pools"}, "none is started for 1 job: what it asks for no worker of this pool offers");
  Await({"explain", vain}, "none is started for it: those that are do not offer label disk=tape");
  EXPECT_TRUE(Launched().empty());
  ExpectEnd(SubmitOnly(OneJob("fast", "    requires: { disk: ssd }\n")));
  EXPECT_EQ(Launched().size(), 1U);
  Await({"explain", vain}, "no worker of pool default offers label disk=tape (1 worker)");
  EXPECT_EQ(Run({"cancel", vain}).exit_code, 0);
}

TEST_F(Place, ALabelThatIsNoneIsRefused) {
  const auto refused =
      Run({"agent", "--server", "127.0.0.1:1", "--folder", File("a"), "--label", "ssd"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(TextOf(File("call.errors")), HasSubstr("'ssd' is no label like disk=ssd"));
}

}  // namespace
}  // namespace tests::server
