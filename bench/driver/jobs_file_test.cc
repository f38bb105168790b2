// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/jobs_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bench::driver {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kFile =
    "name: x\n"
    "jobs:\n"
    "  a-1:\n"
    "    needs: []\n"
    "    steps: [{ run: \"sleep 0.0020\" }]\n"
    "  b-2:\n"
    "    needs: [a-1, c-3]\n"
    "    steps: [{ run: \"sleep 1.5\" }]\n"
    "  c-3:\n"
    "    needs: []\n"
    "    steps: [{ run: \"sleep 0.0000\" }]\n";

TEST(ReadSleepJobs, ReadsDurationsAndNeeds) {
  const auto jobs = ReadSleepJobs(kFile);
  ASSERT_TRUE(jobs.has_value());
  ASSERT_EQ(jobs->size(), 3U);
  EXPECT_EQ(jobs->at(1).name, "b-2");
  EXPECT_DOUBLE_EQ(jobs->at(1).seconds, 1.5);
  EXPECT_THAT(jobs->at(1).needs, ElementsAre(0U, 2U));
}

TEST(ReadSleepJobs, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(ReadSleepJobs("jobs:\n  a:\n    image: x\n").has_value());
  EXPECT_FALSE(ReadSleepJobs("jobs:\n  a:\n    needs: [nobody]\n").has_value());
}

TEST(ScaleSleeps, ChangesNothingElse) {
  EXPECT_EQ(ScaleSleeps("a sleep 0.0020 b\nsleep 2", 10), "a sleep 0.0200 b\nsleep 20.0000");
}

}  // namespace
}  // namespace bench::driver
