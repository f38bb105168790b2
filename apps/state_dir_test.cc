// SPDX-License-Identifier: Apache-2.0
#include "apps/state_dir.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace apps {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
using testing::HasSubstr;

class StateDirTest : public testing::Test {
 protected:
  StateDirTest() {
    std::string name = (fs::temp_directory_path() / "dayfly-state-XXXXXX").string();
    root_ = mkdtemp(name.data());
  }
  ~StateDirTest() override { fs::remove_all(root_); }

  engine::model::RunId Make(const StateDir& state, std::uint64_t number) {
    const engine::model::RunId run(number);
    EXPECT_TRUE(state.MakeRunFolder(run).ok());
    return run;
  }

  std::string root_;
};

TEST_F(StateDirTest, MakesWhatIsMissingForItsOwnerOnly) {
  const auto state = StateDir::OpenAt(root_ + "/a/b", /*create=*/true);
  ASSERT_TRUE(state.ok()) << state.status();
  struct stat facts {};
  ASSERT_EQ(stat((root_ + "/a/b/runs").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0700U);
}

TEST_F(StateDirTest, ReadingMakesNothing) {
  const auto state = StateDir::OpenAt(root_ + "/none", /*create=*/false);
  ASSERT_TRUE(state.ok());
  EXPECT_FALSE(fs::exists(root_ + "/none"));
  EXPECT_THAT(std::string(base::Message(state->FindRun("0").status())),
              HasSubstr("no run is kept"));
}

TEST_F(StateDirTest, RefusesTheFolderOfANewerBuild) {
  ASSERT_TRUE(StateDir::OpenAt(root_, true).ok());
  std::ofstream(root_ + "/version") << "2\n";
  const auto state = StateDir::OpenAt(root_, true);
  EXPECT_EQ(state.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(base::Message(state.status())), HasSubstr("newer dayfly (version 2"));
}

TEST_F(StateDirTest, AnEmptyVersionIsWrittenAnew) {
  std::ofstream(root_ + "/version").flush();
  ASSERT_TRUE(StateDir::OpenAt(root_, true).ok());
  std::string version;
  std::ifstream(root_ + "/version") >> version;
  EXPECT_EQ(version, fmt::format("{}", kStateDirVersion));
}

TEST_F(StateDirTest, AFileInTheWayIsNamed) {
  std::ofstream(root_ + "/file") << "x";
  const auto state = StateDir::OpenAt(root_ + "/file/state", true);
  EXPECT_EQ(state.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(base::Message(state.status())), HasSubstr("/file"));
}

TEST_F(StateDirTest, FindsRunsByBeginningAndByAge) {
  const auto state = StateDir::OpenAt(root_, true);
  ASSERT_TRUE(state.ok());
  const engine::model::RunId first = Make(*state, 0x0123456789abcdefULL);
  const engine::model::RunId second = Make(*state, 0x0123456789abcdf0ULL);
  const engine::model::RunId third = Make(*state, 0x7000000000000000ULL);
  EXPECT_EQ(*state->FindRun(engine::model::ToText(first)), first);
  EXPECT_EQ(*state->FindRun("7"), third);
  EXPECT_EQ(*state->FindRun("7OO"), third) << "a capital O is read as a zero";
  EXPECT_EQ(state->FindRun("02").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(base::Message(state->FindRun("02").status())),
              HasSubstr(engine::model::ToText(second)));
  const auto none = state->FindRun("zzz");
  EXPECT_EQ(none.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(base::Message(none.status())), HasSubstr(engine::model::ToText(third)));
}

}  // namespace
}  // namespace apps
