// SPDX-License-Identifier: Apache-2.0
// How much of the history `git` in a workspace tells of.
#include <gmock/gmock.h>

#include "store/git/fetched_git_fixture.h"

namespace store::git {
namespace {

class CheckoutDepthTest : public FetchedGitTest {
 protected:
  void SetUp() override {
    FetchedGitTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    for (const char* name : {"two", "three", "four"}) {
      WriteFile("file", name);
      Commit(name);
      Git(std::string("tag ") + name);
    }
  }
  std::string Local(std::uint32_t depth) {
    engine::ports::TreeRequest request = RequestFor(Record());
    request.depth = depth;
    return source().UnfoldTree(request).value_or("");
  }
  std::string Fetched(std::uint32_t depth, const std::string& commit) {
    const auto folder = agent().UnfoldTree(
        {.tree = "", .commit = commit, .branch = "main", .source = Url(), .depth = depth});
    EXPECT_TRUE(folder.ok()) << folder.status();
    return folder.value_or("");
  }
  std::string Subjects(const std::string& folder) const {
    return Shell(folder, "git -c safe.directory='*' log --format=%s | tr '\\n' ' '");
  }
  std::string Tags(const std::string& folder) const {
    return Shell(folder, "git -c safe.directory='*' tag | tr '\\n' ' '");
  }
};

TEST_F(CheckoutDepthTest, IsAllWithoutANumber) {
  EXPECT_EQ(Subjects(Local(0)), "four three two first ");
  EXPECT_EQ(Subjects(Fetched(0, Git("rev-parse HEAD"))), "four three two first ");
}

TEST_F(CheckoutDepthTest, CountsTheCommitItself) {
  EXPECT_EQ(Subjects(Local(1)), "four ");
  EXPECT_EQ(Subjects(Local(3)), "four three two ");
  EXPECT_EQ(Subjects(Local(9)), "four three two first ");
}

TEST_F(CheckoutDepthTest, LeavesOutTagsOfWhatIsCutOff) {
  EXPECT_EQ(Tags(Local(2)), "four three ");
}

TEST_F(CheckoutDepthTest, IsTheSameOnAnAgent) {
  const std::string head = Git("rev-parse HEAD");
  for (const std::uint32_t depth : {1U, 2U, 9U}) {
    const std::string there = Fetched(depth, head);
    EXPECT_EQ(Subjects(there), Subjects(Local(depth))) << depth;
    EXPECT_EQ(ReadFile(there + "/file"), "four") << depth;
    EXPECT_EQ(Shell(there, "git -c safe.directory='*' status --porcelain"), "") << depth;
  }
}

TEST_F(CheckoutDepthTest, FetchesNoMoreThanThat) {
  const std::string there = Fetched(1, Git("rev-parse HEAD"));
  const std::string old = Git("rev-parse HEAD~2");
  EXPECT_EQ(Shell(there, "git -c safe.directory='*' cat-file -e " + old + " || echo none"), "none");
}

TEST_F(CheckoutDepthTest, FollowsMergesByTheShortestWay) {
  Git("checkout -q -b side HEAD~3");
  WriteFile("side", "1");
  Commit("side");
  Git("checkout -q main");
  Git("merge -q --no-edit -m merge side");
  // The merge, both its parents, and what is one behind each of them.
  const std::string local = Local(3);
  EXPECT_EQ(Shell(local, "git -c safe.directory='*' log --format=%s | sort | tr '\\n' ' '"),
            "first four merge side three ");
}

TEST_F(CheckoutDepthTest, ACommitWhoseHistoryWasCutForAnotherIsFetchedAgain) {
  const std::string head = Git("rev-parse HEAD");
  const std::string before = Git("rev-parse HEAD~1");
  EXPECT_EQ(Subjects(Fetched(2, head)), "four three ");
  EXPECT_EQ(Subjects(Fetched(2, before)), "three two ");
  EXPECT_EQ(Subjects(Fetched(2, head)), "four three ");
  EXPECT_EQ(agent().fetches(), 2U);
}

TEST_F(CheckoutDepthTest, AllOfTheHistoryIsThereBesideAPart) {
  const std::string head = Git("rev-parse HEAD");
  EXPECT_EQ(Subjects(Fetched(1, head)), "four ");
  EXPECT_EQ(Subjects(Fetched(0, head)), "four three two first ");
}

TEST_F(CheckoutDepthTest, AShallowCloneEndsWhereItEnds) {
  const std::string clone = folder_ + "/clone";
  Shell(folder_, "git clone -q --depth 2 " + Url() + " clone");
  auto tree = source().WriteWorkingTree(clone);
  ASSERT_TRUE(tree.ok()) << tree.status();
  engine::ports::TreeRequest request = RequestFor(*tree);
  request.source = clone;
  request.depth = 9;
  const auto folder = source().UnfoldTree(request);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(Subjects(*folder), "four three ");
}

}  // namespace
}  // namespace store::git
