// SPDX-License-Identifier: Apache-2.0
#include "engine/base/numbered.h"

#include <string>

#include <gtest/gtest.h>

namespace engine::base {
namespace {

TEST(NumberedOutbox, HoldsWhatIsNotAcknowledged) {
  NumberedOutbox<std::string> outbox;
  EXPECT_EQ(outbox.last(), 0U);
  EXPECT_EQ(outbox.Push("a"), 1U);
  EXPECT_EQ(outbox.Push("b"), 2U);
  EXPECT_EQ(outbox.Push("c"), 3U);
  EXPECT_EQ(outbox.AcknowledgeTo(2), 2U);
  EXPECT_EQ(outbox.first(), 3U);
  EXPECT_EQ(outbox.at(3), "c");
}

TEST(NumberedOutbox, IgnoresAcknowledgementsOfWhatIsGoneOrWasNeverSent) {
  NumberedOutbox<int> outbox;
  outbox.Push(1);
  outbox.AcknowledgeTo(1);
  EXPECT_EQ(outbox.AcknowledgeTo(1), 0U);
  EXPECT_EQ(outbox.AcknowledgeTo(100), 0U);
  EXPECT_EQ(outbox.Push(2), 2U);
}

TEST(NumberedIntake, TakesEachNumberOnceAndInOrder) {
  NumberedIntake intake;
  EXPECT_EQ(intake.Take(1), NumberedIntake::Verdict::kNext);
  EXPECT_EQ(intake.Take(1), NumberedIntake::Verdict::kRepeated);
  EXPECT_EQ(intake.Take(3), NumberedIntake::Verdict::kGap);
  EXPECT_EQ(intake.Take(0), NumberedIntake::Verdict::kRepeated);
  EXPECT_EQ(intake.Take(2), NumberedIntake::Verdict::kNext);
  EXPECT_EQ(intake.last(), 2U);
}

}  // namespace
}  // namespace engine::base
