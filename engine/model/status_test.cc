// SPDX-License-Identifier: Apache-2.0
#include "engine/model/status.h"

#include <gtest/gtest.h>

namespace engine::model {
namespace {

TEST(StatusText, EachComesBack) {
  for (int i = 0; i < kStatusCount; ++i) {
    const auto status = static_cast<Status>(i);
    EXPECT_EQ(StatusFromText(ToText(status)), status);
  }
  EXPECT_EQ(StatusFromText("done"), std::nullopt);
}

TEST(ReasonText, NamesAreUniqueAndComeBack) {
  for (int i = 0; i < 256; ++i) {
    const auto code = static_cast<ReasonCode>(i);
    if (ToText(code) != "unknown") {
      EXPECT_EQ(ReasonCodeFromText(ToText(code)), code);
    }
  }
}

TEST(DescribeReason, FillsTheSentenceIn) {
  EXPECT_EQ(Describe({.code = ReasonCode::kExitCode, .detail = 3}), "exit code 3");
  EXPECT_EQ(
      Describe({.code = ReasonCode::kExitCode, .detail = 127, .subject = "nosh: no such program"}),
      "exit code 127: nosh: no such program");
  EXPECT_EQ(Describe({.code = ReasonCode::kSignal, .detail = 9}), "ended by signal 9 (SIGKILL)");
  EXPECT_EQ(Describe({.code = ReasonCode::kNeedNotMet, .subject = "build"}),
            "build did not end as needed");
  EXPECT_EQ(Describe({}), "");
}

TEST(DescribeReason, TakesBracesInSubjectsAsText) {
  EXPECT_EQ(Describe({.code = ReasonCode::kConditionFalse, .subject = "{detail}"}),
            "its condition is false: {detail}");
}

}  // namespace
}  // namespace engine::model
