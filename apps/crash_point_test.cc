// SPDX-License-Identifier: Apache-2.0
#include "apps/crash_point.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace apps {
namespace {

using testing::HasSubstr;

TEST(ParseCrashPoint, ReadsNamesAndCounts) {
  EXPECT_FALSE(ParseCrashPoint("")->has_value());
  const auto point = ParseCrashPoint("commit_done_effect_not:12");
  ASSERT_TRUE(point.ok());
  EXPECT_EQ((*point)->name, CrashPointName::kCommitDoneEffectNot);
  EXPECT_EQ((*point)->count, 12);
  EXPECT_EQ((*ParseCrashPoint("before_first_commit"))->count, 1);
}

TEST(ParseCrashPoint, ListsTheNamesWhenItIsWrong) {
  for (const char* text :
       {"nonsense", "while_resuming:", "while_resuming:0", "while_resuming:1x", ":1"}) {
    const auto point = ParseCrashPoint(text);
    EXPECT_EQ(point.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(engine::base::Message(point.status())),
                HasSubstr("step_ended_not_committed"));
  }
}

}  // namespace
}  // namespace apps
