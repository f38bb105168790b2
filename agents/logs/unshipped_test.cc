// SPDX-License-Identifier: Apache-2.0
#include "agents/logs/unshipped.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace agents::logs {
namespace {

namespace model = engine::model;

model::LogKey Key(std::uint32_t step) {
  return {.attempt = {.run = model::RunId(~0ULL), .job = model::JobIndex(3), .attempt = 2},
          .step = model::StepIndex(step)};
}

Unshipped::Log Sample(std::uint64_t length) {
  return {.slot = 1,
          .log = {.ranges = {{.segment = 1 << 20, .offset = 7, .length = length},
                             {.segment = (1 << 20) + 1, .offset = 0, .length = 1}},
                  .checksum = 0xfffffff0,
                  .truncated = true,
                  .lost_bytes = 9}};
}

class UnshippedTest : public ::testing::Test {
 protected:
  tests::support::TempFolder folder_;
  std::string path_ = folder_.File("unshipped");
};

TEST_F(UnshippedTest, KnowsWhatAnEarlierAgentHeld) {
  {
    Unshipped unshipped;
    ASSERT_TRUE(unshipped.Open(path_).ok());
    ASSERT_TRUE(unshipped.Add(Key(0), Sample(5)).ok());
    ASSERT_TRUE(unshipped.Add(Key(1), Sample(6)).ok());
    unshipped.Remove(Key(0));
  }
  for (int opened = 0; opened < 2; ++opened) {
    Unshipped unshipped;
    ASSERT_TRUE(unshipped.Open(path_).ok());
    ASSERT_EQ(unshipped.logs().size(), 1u);
    EXPECT_EQ(unshipped.logs().at(Key(1)).slot, 1u);
    EXPECT_EQ(unshipped.logs().at(Key(1)).log, Sample(6).log);
    EXPECT_EQ(unshipped.positions().at(1), (SpoolPosition{(1 << 20) + 1, 1}));
  }
}

TEST_F(UnshippedTest, KnowsWhichStepsMayStillRun) {
  {
    Unshipped unshipped;
    ASSERT_TRUE(unshipped.Open(path_).ok());
    ASSERT_TRUE(unshipped.Begin(1, Key(0)).ok());
    ASSERT_TRUE(unshipped.Add(Key(0), Sample(5)).ok());
    ASSERT_TRUE(unshipped.Begin(2, Key(7)).ok());
    ASSERT_TRUE(unshipped.Begin(2, Key(8)).ok()) << "what printed nothing is not added";
    ASSERT_TRUE(unshipped.Free(2, {.segment = 7, .before = 99}).ok());
  }
  for (int opened = 0; opened < 2; ++opened) {
    Unshipped unshipped;
    ASSERT_TRUE(unshipped.Open(path_).ok());
    ASSERT_TRUE(unshipped.Begin(2, Key(8)).ok()) << "it goes on";
    ASSERT_EQ(unshipped.begun().size(), 1u);
    EXPECT_EQ(unshipped.begun().at(2), (Unshipped::Begun{Key(8), FreedSegments{7, 99}}));
  }
}

TEST_F(UnshippedTest, PassesOverATornLine) {
  std::uint64_t whole = 0;
  {
    Unshipped unshipped;
    ASSERT_TRUE(unshipped.Open(path_).ok());
    ASSERT_TRUE(unshipped.Add(Key(0), Sample(5)).ok());
    whole = std::filesystem::file_size(path_);
    ASSERT_TRUE(unshipped.Add(Key(1), Sample(6)).ok());
  }
  const std::uint64_t end = std::filesystem::file_size(path_);
  // The last byte is a line break that nobody needs, and the one before it the point.
  for (std::uint64_t size = whole; size + 1 < end; ++size) {
    const std::string torn = folder_.File("torn");
    std::filesystem::copy_file(path_, torn, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(torn, size);
    Unshipped unshipped;
    ASSERT_TRUE(unshipped.Open(torn).ok());
    EXPECT_EQ(unshipped.logs().size(), 1u) << size;
  }
}

}  // namespace
}  // namespace agents::logs
