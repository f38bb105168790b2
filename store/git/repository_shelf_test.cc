// SPDX-License-Identifier: Apache-2.0
#include "store/git/repository_shelf.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace store::git {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;

class RepositoryShelfTest : public testing::Test {
 protected:
  /// A repository of about `bytes` that was used so long ago.
  std::string Put(const std::string& name, std::size_t bytes, hours ago) {
    const std::string path = shelf_.PathOf(name);
    fs::create_directories(path + "/objects");
    std::ofstream(path + "/objects/pack") << std::string(bytes, 'x');
    shelf_.Hold(path);
    shelf_.LetGo(path);
    fs::last_write_time(path + "/dayfly-used", fs::file_time_type::clock::now() - ago);
    return path;
  }

  tests::support::TempFolder folder_;
  RepositoryShelf shelf_{folder_.path().string(), {.unused_max = hours(100), .bytes_max = 1000}};
};

TEST_F(RepositoryShelfTest, WhatWasNotUsedForLongGoes) {
  const std::string old = Put("old", 10, hours(101));
  const std::string young = Put("young", 10, hours(99));
  shelf_.MakeRoom();
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
}

TEST_F(RepositoryShelfTest, OfWhatIsTooMuchThatUsedLongestAgoGoes) {
  const std::string first = Put("first", 600, hours(3));
  const std::string second = Put("second", 600, hours(2));
  const std::string third = Put("third", 300, hours(1));
  shelf_.MakeRoom();
  EXPECT_FALSE(fs::exists(first));
  EXPECT_TRUE(fs::exists(second));
  EXPECT_TRUE(fs::exists(third));
}

TEST_F(RepositoryShelfTest, WhatIsInUseStays) {
  const std::string path = Put("a", 2000, hours(1));
  shelf_.Hold(path);
  shelf_.Hold(path);
  shelf_.LetGo(path);
  shelf_.MakeRoom();
  EXPECT_TRUE(fs::exists(path));
  shelf_.LetGo(path);
  shelf_.MakeRoom();
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace store::git
