// SPDX-License-Identifier: Apache-2.0
#include "store/git/repository_files.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "store/git/git_fixture.h"

namespace store::git {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ::testing::HasSubstr;

class RepositoryFilesTest : public RemoteGitTest {
 protected:
  engine::base::StatusOr<std::string> Read(const std::string& ref, const std::string& path) {
    return RepositoryFiles(files_).Read(Url(), ref, path);
  }

  RepositoryFilesOptions files_{.folder = folder_ + "/included", .file_bytes_max = 100};
};

TEST_F(RepositoryFilesTest, ReadsFilesByBranchTagAndCommit) {
  Git("tag v1");
  Git("branch side");
  for (const std::string& ref : {std::string("v1"), std::string("side"), head_}) {
    const auto text = Read(ref, "dir/inner");
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_EQ(*text, "two\n");
  }
}

TEST_F(RepositoryFilesTest, ABranchIsLookedUpOnceAnObject) {
  RepositoryFiles files(files_);
  Git("branch side");
  ASSERT_TRUE(files.Read(Url(), "side", "dir/inner").ok());
  WriteFile("dir/inner", "three\n");
  Commit("changed");
  Git("branch -f side HEAD");
  EXPECT_EQ(*files.Read(Url(), "side", "dir/inner"), "two\n");
  EXPECT_EQ(*Read("side", "dir/inner"), "three\n");
  EXPECT_EQ(*Read(head_, "dir/inner"), "two\n");
}

TEST_F(RepositoryFilesTest, AKnownCommitNeedsNoRepository) {
  ASSERT_TRUE(Read(head_, "dir/inner").ok());
  fs::rename(repo_, repo_ + "-away");
  EXPECT_EQ(*Read(head_, "dir/inner"), "two\n");
  EXPECT_EQ(Read("main", "dir/inner").status().code(), StatusCode::kNotFound);
}

TEST_F(RepositoryFilesTest, SaysWhatIsNotThere) {
  EXPECT_THAT(std::string(engine::base::Message(Read("nowhere", "dir/inner").status())),
              HasSubstr("no branch, tag or commit 'nowhere'"));
  EXPECT_EQ(Read(std::string(40, 'a'), "dir/inner").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Read(head_, "none").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Read(head_, "dir").status().code(), StatusCode::kFailedPrecondition);
  files_.file_bytes_max = 3;
  EXPECT_EQ(Read(head_, "dir/inner").status().code(), StatusCode::kResourceExhausted);
}

TEST_F(RepositoryFilesTest, ACopyThatBrokeIsMadeAnew) {
  ASSERT_TRUE(Read(head_, "dir/inner").ok());
  const std::string copy = Shell(folder_, "echo included/*.git");
  const std::string id = Git("rev-parse HEAD:dir/inner");
  const std::string object =
      folder_ + "/" + copy + "/objects/" + id.substr(0, 2) + "/" + id.substr(2);
  // As a crash leaves them: an object without its end, one without bytes, locks, half an `init`.
  for (const std::string& damage :
       {"chmod u+w " + object + " && truncate -s 12 " + object,
        "chmod u+w " + object + " && truncate -s 0 " + object, "rm -f " + object,
        "rm -rf " + copy + "/objects " + copy + "/refs"}) {
    Shell(folder_, damage);
    const auto text = Read(head_, "dir/inner");
    ASSERT_TRUE(text.ok()) << damage << ": " << text.status();
    EXPECT_EQ(*text, "two\n");
  }
  Shell(folder_, "touch " + copy + "/shallow.lock");
  EXPECT_TRUE(Read("HEAD", "dir/inner").ok());
}

TEST_F(RepositoryFilesTest, SeveralAtOnceShareACopy) {
  std::vector<std::thread> threads;
  std::atomic<int> well = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { well += Read("HEAD", "dir/inner").ok() ? 1 : 0; });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(well, 4);
}

TEST_F(RepositoryFilesTest, ALinkIsNoFile) {
  Shell(repo_, "ln -s dir/inner a-link");
  Commit("link");
  EXPECT_THAT(std::string(engine::base::Message(Read("HEAD", "a-link").status())),
              HasSubstr("link"));
}

TEST_F(RepositoryFilesTest, TakesNothingForARefThatIsAnOptionOrAPattern) {
  for (const char* ref : {"", "--upload-pack=x", "a..b", "a:b", "*", "+main", "/x", "a b"}) {
    EXPECT_EQ(Read(ref, "dir/inner").status().code(), StatusCode::kInvalidArgument) << ref;
  }
  const auto remote = RepositoryFiles(files_).Read("ext::sh -c true", "main", "x");
  EXPECT_EQ(remote.status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace store::git
