// SPDX-License-Identifier: Apache-2.0
#include "apps/network/run_sweep.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace apps::network {
namespace {

namespace fs = std::filesystem;
namespace model = engine::model;

constexpr std::int64_t kDay = 20'000;

std::string FolderOf(std::int64_t day) {
  return ToText(model::RunId((static_cast<std::uint64_t>(day) * 86'400'000) << 20));
}

TEST(RemoveArchives, TakesThoseOfOldDaysAndNothingElse) {
  const tests::support::TempFolder folder;
  const std::string strange = "not-a-run";
  for (const std::string& name :
       {FolderOf(kDay - 2), FolderOf(kDay - 1), FolderOf(kDay), strange}) {
    fs::create_directories(folder.File(name));
    std::ofstream(folder.File(name + "/1-0.arc")) << "x";
  }
  const auto removed = RemoveArchives(folder.path().string(), kDay, {kDay - 1});
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(*removed, 1U);
  EXPECT_FALSE(fs::exists(folder.File(FolderOf(kDay - 2))));
  EXPECT_TRUE(fs::exists(folder.File(FolderOf(kDay - 1))));
  EXPECT_TRUE(fs::exists(folder.File(FolderOf(kDay))));
  EXPECT_TRUE(fs::exists(folder.File(strange)));
  EXPECT_EQ(RemoveArchives(folder.File("missing"), kDay, {}).value_or(7), 0U);
}

}  // namespace
}  // namespace apps::network
