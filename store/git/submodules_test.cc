// SPDX-License-Identifier: Apache-2.0
#include "store/git/submodules.h"

#include <gmock/gmock.h>

#include "store/git/fetched_git_fixture.h"

namespace store::git {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(SubmoduleUrl, CountsFromItsParent) {
  const struct {
    const char* parent;
    const char* url;
    const char* result;
  } kRows[] = {
      {"https://h/a/b.git", "https://other/c.git", "https://other/c.git"},
      {"https://h/a/b.git", "../c.git", "https://h/a/c.git"},
      {"https://h/a/b.git/", "../c.git", "https://h/a/c.git"},
      {"https://h/a/b.git", "../../c/d.git", "https://h/c/d.git"},
      {"https://h/a/b.git", "./c.git", "https://h/a/b.git/c.git"},
      {"git@h:a/b.git", "../c.git", "git@h:a/c.git"},
      {"git@h:b.git", "../c.git", "git@h:c.git"},
      {"ssh://git@h:22/a/b", "../c", "ssh://git@h:22/a/c"},
      {"/srv/git/b", "../c", "/srv/git/c"},
      {"file:///srv/git/b", "/srv/git/c", "/srv/git/c"},
  };
  for (const auto& row : kRows) {
    const base::StatusOr<std::string> url = SubmoduleUrl(row.parent, row.url);
    ASSERT_TRUE(url.ok()) << row.parent << " " << row.url << ": " << url.status();
    EXPECT_EQ(*url, row.result) << row.parent << " " << row.url;
  }
}

TEST(SubmoduleUrl, LeadsNeitherAboveTheHostNorFromANetworkToThisMachine) {
  const struct {
    const char* parent;
    const char* url;
  } kRows[] = {
      {"https://h/b.git", "../../c.git"}, {"git@h:b.git", "../../c.git"},
      {"https://h/b.git", "/etc"},        {"https://h/b.git", "file:///etc"},
      {"git@h:b.git", "/home/x"},         {"/b", "../../c"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(SubmoduleUrl(row.parent, row.url).status().code(), absl::StatusCode::kInvalidArgument)
        << row.parent << " " << row.url;
  }
}

class SubmodulesTest : public FetchedGitTest {
 protected:
  void SetUp() override {
    FetchedGitTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    MakeOther("inner", "deep.txt");
    MakeOther("other", "there.txt");
    AddSubmodule(folder_ + "/other", "../inner", "nested");
    AddSubmodule(repo_, "../other", "lib/sub");
    // Sorts between the place of a submodule and its folder.
    WriteFile("lib/sub.txt", "beside\n");
    Commit("submodule");
  }
  void MakeOther(const std::string& name, const std::string& file) {
    const std::string folder = folder_ + "/" + name;
    fs::create_directory(folder);
    WriteAt(folder + "/" + file, name + "\n");
    Shell(folder, "git init -q -b main . && git add -A && git commit -q -m " + name);
  }
  void AddSubmodule(const std::string& folder, const std::string& url, const std::string& path) {
    // The address counts from a remote, which the tests' repositories do not have.
    Shell(folder, "git remote add origin 'file://" + folder + "' 2>/dev/null; " +
                      "git -c protocol.file.allow=always submodule --quiet add " + url + " " +
                      path + " && git commit -q -m added");
  }
  base::StatusOr<std::string> UnfoldHead(bool submodules) {
    return agent().UnfoldTree({.tree = "",
                               .commit = Git("rev-parse HEAD"),
                               .branch = "main",
                               .source = Url(),
                               .submodules = submodules});
  }
};

TEST_F(SubmodulesTest, ComeWhenAskedForWithThoseInThem) {
  const auto folder = UnfoldHead(true);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(ReadFile(*folder + "/lib/sub/there.txt"), "other\n");
  EXPECT_EQ(ReadFile(*folder + "/lib/sub/nested/deep.txt"), "inner\n");
  EXPECT_EQ(ReadFile(*folder + "/lib/sub.txt"), "beside\n");
  EXPECT_EQ(ReadFile(*folder + "/dir/inner"), "two\n");
  EXPECT_EQ(Shell(*folder, "git -c safe.directory='*' status --porcelain"), "");
  EXPECT_FALSE(fs::exists(*folder + "/lib/sub/.git"));
}

TEST_F(SubmodulesTest, AreLeftOutOtherwise) {
  const auto folder = UnfoldHead(false);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_TRUE(fs::is_empty(*folder + "/lib/sub"));
  EXPECT_EQ(Shell(*folder, "git -c safe.directory='*' status --porcelain"), "");
  EXPECT_EQ(agent().fetches(), 1U);
}

TEST_F(SubmodulesTest, ThatAreNotCheckedOutHereAreEmptyFolders) {
  Shell(folder_, "git clone -q " + Url() + " clone");
  auto tree = source().WriteWorkingTree(folder_ + "/clone");
  ASSERT_TRUE(tree.ok()) << tree.status();
  engine::ports::TreeRequest request = RequestFor(*tree);
  request.source = folder_ + "/clone";
  const auto folder = source().UnfoldTree(request);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_TRUE(fs::is_empty(*folder + "/lib/sub"));
  EXPECT_EQ(Shell(*folder, "git -c safe.directory='*' status --porcelain"), "");
}

TEST_F(SubmodulesTest, AreNotFetchedAgain) {
  ASSERT_TRUE(UnfoldHead(true).ok());
  EXPECT_EQ(agent().fetches(), 3U);
  ASSERT_TRUE(UnfoldHead(true).ok());
  EXPECT_EQ(agent().fetches(), 3U);
}

TEST_F(SubmodulesTest, OneThatIsGoneIsNamed) {
  fs::remove_all(folder_ + "/inner");
  const auto folder = UnfoldHead(true);
  EXPECT_EQ(folder.status().code(), absl::StatusCode::kNotFound) << folder.status();
  EXPECT_THAT(folder.status().ToString(), HasSubstr("submodule 'lib/sub'"));
  EXPECT_THAT(folder.status().ToString(), HasSubstr("submodule 'nested'"));
}

TEST_F(SubmodulesTest, APlaceWithoutAnAddressStaysEmpty) {
  Git("rm -q --cached .gitmodules");
  fs::remove(repo_ + "/.gitmodules");
  Git("commit -q -m orphan");
  const auto folder = UnfoldHead(true);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_FALSE(fs::exists(*folder + "/lib/sub/there.txt"));
}

TEST_F(SubmodulesTest, AMalformedListIsNamed) {
  WriteFile(".gitmodules", "[submodule \"x\n\tpath =\n");
  Commit("broken");
  const auto folder = UnfoldHead(true);
  EXPECT_EQ(folder.status().code(), absl::StatusCode::kInvalidArgument) << folder.status();
  EXPECT_THAT(folder.status().ToString(), HasSubstr(".gitmodules"));
}

TEST_F(SubmodulesTest, ThatStandInThemselvesWithoutEndAreRefused) {
  // Nine repositories, each in the one before.
  for (int i = 0; i < 9; ++i) {
    const std::string name = "level" + std::to_string(i);
    MakeOther(name, name);
  }
  for (int i = 7; i >= 0; --i) {
    AddSubmodule(folder_ + "/level" + std::to_string(i), "../level" + std::to_string(i + 1), "in");
  }
  AddSubmodule(repo_, "../level0", "deep");
  const auto folder = UnfoldHead(true);
  EXPECT_EQ(folder.status().code(), absl::StatusCode::kInvalidArgument) << folder.status();
  EXPECT_THAT(folder.status().ToString(), HasSubstr("more than 8 deep"));
}

}  // namespace
}  // namespace store::git
