// SPDX-License-Identifier: Apache-2.0
#include "store/git/large_files.h"

#include <gmock/gmock.h>

#include "store/git/fetched_git_fixture.h"
#include "store/git/git_command.h"

namespace store::git {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kDigest(64, 'a');
const std::string kVersion = "version https://git-lfs.github.com/spec/v1\n";

TEST(LargeFileDigest, IsThatOfAPointerOnly) {
  EXPECT_EQ(LargeFileDigest(kVersion + "oid sha256:" + kDigest + "\nsize 3\n"), kDigest);
  EXPECT_EQ(LargeFileDigest(kVersion + "ext-0-x sha256:1\noid sha256:" + kDigest + "\nsize 3\n"),
            kDigest);
  const std::string others[] = {
      "",
      "oid sha256:" + kDigest + "\n",
      kVersion,
      kVersion + "oid sha256:abc\n",
      kVersion + "oid sha256:" + std::string(64, '/') + "\n",
      kVersion + "oid sha256:" + kDigest + "\n" + std::string(2000, 'x'),
  };
  for (const std::string& other : others) {
    EXPECT_FALSE(LargeFileDigest(other).has_value()) << other;
  }
}

class LargeFilesTest : public FetchedGitTest {
 protected:
  void SetUp() override {
    FetchedGitTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    if (std::system("git lfs version >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "the git-lfs program is missing";
    }
    Git("lfs install --local");
    Git("lfs track '*.bin'");
    WriteFile("big.bin", "the content\n");
    Commit("large");
  }
  engine::base::StatusOr<std::string> UnfoldHead(bool lfs) {
    return agent().UnfoldTree({.tree = "",
                               .commit = Git("rev-parse HEAD"),
                               .branch = "main",
                               .source = Url(),
                               .lfs = lfs});
  }
};

TEST_F(LargeFilesTest, ComeWhenAskedFor) {
  const auto folder = UnfoldHead(true);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(ReadFile(*folder + "/big.bin"), "the content\n");
  EXPECT_EQ(ReadFile(*folder + "/file"), "one\n");
  EXPECT_EQ(Shell(*folder, "git -c safe.directory='*' status --porcelain"), "");
}

TEST_F(LargeFilesTest, ComeFromARepositoryNamedByItsPath) {
  const auto folder = agent().UnfoldTree({.tree = "",
                                          .commit = Git("rev-parse HEAD"),
                                          .branch = "main",
                                          .source = repo_,
                                          .lfs = true});
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(ReadFile(*folder + "/big.bin"), "the content\n");
}

TEST_F(LargeFilesTest, ArePointersOtherwiseWhicheverCameFirst) {
  const auto first = UnfoldHead(false);
  const auto with = UnfoldHead(true);
  WriteFile("file", "more\n");
  Commit("next");
  const auto next = UnfoldHead(false);
  const auto next_with = UnfoldHead(true);
  ASSERT_TRUE(first.ok() && with.ok() && next.ok() && next_with.ok());
  EXPECT_THAT(ReadFile(*first + "/big.bin"), StartsWith(kVersion));
  EXPECT_EQ(ReadFile(*with + "/big.bin"), "the content\n");
  EXPECT_THAT(ReadFile(*next + "/big.bin"), StartsWith(kVersion));
  EXPECT_EQ(ReadFile(*next_with + "/big.bin"), "the content\n");
}

TEST_F(LargeFilesTest, OneThatIsGoneIsToldOf) {
  std::filesystem::remove_all(repo_ + "/.git/lfs/objects");
  const auto folder = UnfoldHead(true);
  ASSERT_FALSE(folder.ok());
  EXPECT_EQ(folder.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(folder.status().ToString(), HasSubstr("large files of commit"));
  EXPECT_THAT(folder.status().ToString(), HasSubstr("remote missing object"));
}

// As git-lfs 3.3 writes them: told by the list of objects, and by the download.
TEST(LargeFileErrors, OfObjectsThatAreGoneAreToldFromThoseThatMayPass) {
  EXPECT_TRUE(SaysObjectIsGone("[b6d7] Object does not exist: [404] Object does not exist"));
  EXPECT_TRUE(SaysObjectIsGone("LFS: Repository or object not found: http://127.0.0.1:1/o/b6d7"));
  EXPECT_FALSE(SaysObjectIsGone("LFS: Authorization error: http://127.0.0.1:1/o/b6d7"));
  EXPECT_FALSE(SaysObjectIsGone("Fatal error: Server error: http://127.0.0.1:1/o/b6d7"));
  EXPECT_FALSE(SaysObjectIsGone("batch response: Fatal error: oops"));
  EXPECT_FALSE(SaysObjectIsGone("batch response: Not found"));
  EXPECT_FALSE(SaysObjectIsGone("error: failed to fetch some objects from 'http://127.0.0.1:1/r'"));
}

}  // namespace
}  // namespace store::git
