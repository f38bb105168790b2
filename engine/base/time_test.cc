// SPDX-License-Identifier: Apache-2.0
#include "engine/base/time.h"

#include <gtest/gtest.h>

namespace engine::base {
namespace {

TEST(FormatInstant, IsRfc3339WithMicroseconds) {
  EXPECT_EQ(FormatInstant(InstantFromMicros(0)), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatInstant(InstantFromMicros(951'782'400'000'001)), "2000-02-29T00:00:00.000001Z");
  EXPECT_EQ(FormatInstant(InstantFromMicros(-1)), "1969-12-31T23:59:59.999999Z");
}

TEST(FormatDuration, GrowsCoarserWithLength) {
  EXPECT_EQ(FormatDuration(Duration(340'000)), "0.3s");
  EXPECT_EQ(FormatDuration(Duration(12'900'000)), "12s");
  EXPECT_EQ(FormatDuration(Duration(185'000'000)), "3m05s");
  EXPECT_EQ(FormatDuration(Duration(7'620'000'000)), "2h07m");
}

struct DurationCase {
  const char* name;
  const char* text;
  std::optional<std::int64_t> micros;
};

class ParseDurationTable : public testing::TestWithParam<DurationCase> {};

TEST_P(ParseDurationTable, GivesMicroseconds) {
  const auto parsed = ParseDuration(GetParam().text);
  ASSERT_EQ(parsed.has_value(), GetParam().micros.has_value());
  if (parsed) {
    EXPECT_EQ(parsed->count(), *GetParam().micros);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ParseDurationTable,
    testing::Values(
        DurationCase{"Seconds", "90s", 90'000'000}, DurationCase{"BareIsSeconds", "90", 90'000'000},
        DurationCase{"Mixed", "1h30m", 5'400'000'000}, DurationCase{"Millis", "250ms", 250'000},
        DurationCase{"Zero", "0s", 0}, DurationCase{"Fraction", "1.5s", 1'500'000},
        DurationCase{"Days", "7d", 604'800'000'000}, DurationCase{"Empty", "", std::nullopt},
        DurationCase{"Negative", "-1s", std::nullopt},
        DurationCase{"UnknownUnit", "3x", std::nullopt},
        DurationCase{"BareAfterUnit", "1m30", std::nullopt},
        DurationCase{"TooLong", "99999d", std::nullopt},
        DurationCase{"Overflow", "99999999999999999999s", std::nullopt}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace engine::base
