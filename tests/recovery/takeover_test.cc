// SPDX-License-Identifier: Apache-2.0
// A second server takes over from the first, killed or told to leave, while a step runs: the step
// goes on, once; its agent and whoever watches it find the new owner by themselves.
#include <gtest/gtest.h>

#include "tests/recovery/site.h"

namespace tests::recovery {
namespace {

constexpr const char* kOneJob = "name: x\njobs: { j: { checkout: false, steps: ['true'] } }\n";

class Takeover : public ::testing::Test {
 protected:
  void SetUp() override {
    site_.StartAgent("agent");
    submitted_ = site_.Submit(step_.pipeline());
    step_.AwaitBegin();
  }
  void ExpectAllWentOn() {
    EXPECT_EQ(submitted_->Wait(), 0) << site_.Errors();
    EXPECT_EQ(step_.times_begun(), 1);
    EXPECT_EQ(site_.Submit(kOneJob, "later")->Wait(), 0) << site_.Errors();
  }

  Site site_{2};
  HeldStep step_{site_};
  std::unique_ptr<support::DayflyProcess> submitted_;
};

TEST_F(Takeover, OfAKilledOwnerAdoptsTheStepThatEndsMeanwhile) {
  site_.KillServer(0);
  step_.LetGoOn();
  ExpectAllWentOn();
}

TEST_F(Takeover, OfAKilledOwnerAdoptsTheStepThatGoesOn) {
  site_.KillServer(0);
  // Answered by the new owner.
  site_.AwaitService();
  step_.LetGoOn();
  ExpectAllWentOn();
}

TEST_F(Takeover, IsFollowedWhenTheNextOwnerIsKilledToo) {
  site_.KillServer(0);
  site_.AwaitService();
  site_.StartServer(0);
  site_.KillServer(1);
  site_.AwaitService();
  step_.LetGoOn();
  ExpectAllWentOn();
}

TEST_F(Takeover, IsFollowedWhenTheNextOwnerIsKilledWhileItTakesOver) {
  site_.KillServer(0);
  site_.StartServer(0);
  site_.KillServer(1);
  site_.AwaitService();
  step_.LetGoOn();
  ExpectAllWentOn();
}

TEST_F(Takeover, IsHandedOnByAnOwnerThatIsToldToLeave) {
  EXPECT_EQ(site_.StopServer(0), 0) << site_.Errors();
  site_.AwaitService();
  step_.LetGoOn();
  ExpectAllWentOn();
}

// Servers learn each other's ports when they start again.
TEST(LaunchedWorkers, FindTheServerThatTakesOver) {
  Site site(2, "{ max: 1, slots: 1 }");
  for (const int server : {0, 1}) {
    ASSERT_EQ(site.StopServer(server), 0) << site.Errors();
    site.AwaitService();
    site.StartServer(server);
  }
  HeldStep step(site);
  const auto submitted = site.Submit(step.pipeline());
  step.AwaitBegin();
  site.KillServer(0);
  site.AwaitService();
  step.LetGoOn();
  EXPECT_EQ(submitted->Wait(), 0) << site.Errors();
  EXPECT_EQ(step.times_begun(), 1);
}

}  // namespace
}  // namespace tests::recovery
