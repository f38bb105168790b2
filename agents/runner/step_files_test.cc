// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/step_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agents::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(ParseNameValues, ReadsLinesAndBlocks) {
  const auto found = ParseNameValues("a=1\n\nb-2=x=y\nc<<END\nline 1\n\nline=3\nEND\nd=\n_e=last");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(*found, ElementsAre(Pair("a", "1"), Pair("b-2", "x=y"), Pair("c", "line 1\n\nline=3"),
                                  Pair("d", ""), Pair("_e", "last")));
}

TEST(ParseNameValues, TakesTwoLessThanSignsInAValue) {
  const auto found = ParseNameValues("a=1 << 3\nempty<<X\nX\n");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(*found, ElementsAre(Pair("a", "1 << 3"), Pair("empty", "")));
}

TEST(ParseNameValues, NamesTheLineThatIsWrong) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"a=1\nnothing\n", "line 2: expected NAME=VALUE"},
      {"=1\n", "line 1: '' is not a name"},
      {"a b=1\n", "line 1: 'a b' is not a name"},
      {"9=1\n", "line 1: '9' is not a name"},
      {"a=1\nb<<END\nx\n", "line 2: the block does not end"},
      {"b<<\nx\n", "line 1: no word follows"},
  };
  for (const auto& each : cases) {
    const auto found = ParseNameValues(each.text);
    ASSERT_FALSE(found.ok()) << each.text;
    EXPECT_THAT(std::string(found.status().message()), HasSubstr(each.message));
  }
}

class StepFilesTest : public ::testing::Test {
 protected:
  StepFilesTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "dayfly-files-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    EXPECT_TRUE(files_.Open(folder_).ok());
  }
  ~StepFilesTest() override { std::filesystem::remove_all(folder_); }
  static void Append(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::app | std::ios::binary) << text;
  }
  std::string folder_;
  StepFiles files_;
};

TEST_F(StepFilesTest, AreEmptyAgainForTheNextStep) {
  EXPECT_TRUE(files_.Collect().empty());
  Append(files_.output_path(), "a=1\n");
  Append(files_.env_path(), "B=2\n");
  Append(files_.summary_path(), "# Done\n");
  Append(files_.mask_path(), "one\n\ntwo\n");
  const StepNotes notes = files_.Collect();
  EXPECT_THAT(notes.outputs, ElementsAre(Pair("a", "1")));
  EXPECT_THAT(notes.env, ElementsAre(Pair("B", "2")));
  EXPECT_EQ(notes.summary, "# Done\n");
  EXPECT_THAT(notes.masks, ElementsAre("one", "two"));
  EXPECT_TRUE(files_.Collect().empty());
}

TEST_F(StepFilesTest, MayBeReplacedOrRemovedByTheStep) {
  Append(folder_ + "/new", "a=1\n");
  std::filesystem::rename(folder_ + "/new", files_.output_path());
  std::filesystem::remove(files_.env_path());
  EXPECT_THAT(files_.Collect().outputs, ElementsAre(Pair("a", "1")));
  Append(files_.output_path(), "b=2\n");
  Append(files_.env_path(), "C=3\n");
  const StepNotes notes = files_.Collect();
  EXPECT_THAT(notes.outputs, ElementsAre(Pair("b", "2")));
  EXPECT_THAT(notes.env, ElementsAre(Pair("C", "3")));
}

TEST_F(StepFilesTest, AreNotFollowedThroughALink) {
  Append(folder_ + "/elsewhere", "a=1\n");
  std::filesystem::remove(files_.output_path());
  std::filesystem::create_symlink(folder_ + "/elsewhere", files_.output_path());
  EXPECT_THAT(files_.Collect().outputs, IsEmpty());
  EXPECT_TRUE(
      std::filesystem::is_regular_file(std::filesystem::symlink_status(files_.output_path())));
}

TEST_F(StepFilesTest, HaveALimitThatIsNamed) {
  Append(files_.output_path(), "a=" + std::string(StepFiles::kFileBytesMax, 'x') + "\n");
  const StepNotes notes = files_.Collect();
  EXPECT_THAT(std::string(notes.problem.message()), HasSubstr("the limit is 1048576"));
  EXPECT_TRUE(files_.Collect().empty());
}

TEST_F(StepFilesTest, KeepWhatIsRightBesideWhatIsWrong) {
  Append(files_.output_path(), "wrong\n");
  Append(files_.env_path(), "B=2\n");
  const StepNotes notes = files_.Collect();
  EXPECT_THAT(std::string(notes.problem.message()), HasSubstr("$DAYFLY_OUTPUT: line 1"));
  EXPECT_THAT(notes.env, ElementsAre(Pair("B", "2")));
}

}  // namespace
}  // namespace agents::runner
