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

TEST_F(Takeover, IsHandedOnByAnOwnerThatIsToldToLeave) {
  EXPECT_EQ(site_.StopServer(0), 0) << site_.Errors();
  site_.AwaitService();
  step_.LetGoOn();
  ExpectAllWentOn();
}

}  // namespace
}  // namespace tests::recovery
