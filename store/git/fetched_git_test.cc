// SPDX-License-Identifier: Apache-2.0
#include "store/git/fetched_git.h"

#include <thread>

#include <gmock/gmock.h>

#include "store/git/fetched_git_fixture.h"

namespace store::git {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(FetchedGitTest, UnfoldsTheTreeOfACommit) {
  const auto folder = UnfoldCommit(head_, Url());
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(ReadFile(*folder + "/dir/inner"), "two\n");
  EXPECT_EQ(Shell(*folder, "git -c safe.directory='*' rev-parse HEAD"), head_);
  EXPECT_EQ(Shell(*folder, "git -c safe.directory='*' status --porcelain"), "");
}

TEST_F(FetchedGitTest, AKnownCommitIsNotFetchedAgain) {
  const auto first = UnfoldCommit(head_, Url());
  const auto second = UnfoldCommit(head_, Url());
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(agent().fetches(), 1U);
}

TEST_F(FetchedGitTest, AnOlderCommitOfNoBranchIsFound) {
  const std::string old = head_;
  WriteFile("file", "newer\n");
  Commit("second");
  ASSERT_TRUE(UnfoldCommit(Git("rev-parse HEAD"), Url()).ok());
  const auto folder = UnfoldCommit(old, Url());
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(ReadFile(*folder + "/file"), "one\n");
}

TEST_F(FetchedGitTest, ThoseWhoWantTheSameShareOneFetch) {
  agent();
  std::vector<std::thread> threads;
  std::vector<base::StatusOr<std::string>> folders(8, base::Internal("not asked"));
  for (auto& folder : folders) {
    threads.emplace_back([&] { folder = UnfoldCommit(head_, Url()); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto& folder : folders) {
    EXPECT_TRUE(folder.ok()) << folder.status();
  }
  EXPECT_EQ(agent().fetches(), 1U);
}

TEST_F(FetchedGitTest, ACommitThatDoesNotExistIsNamedWithItsRepository) {
  const std::string missing(40, 'a');
  const auto folder = UnfoldCommit(missing, Url());
  EXPECT_EQ(folder.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(folder.status().ToString(), HasSubstr(missing));
  EXPECT_THAT(folder.status().ToString(), HasSubstr(Url()));
}

TEST_F(FetchedGitTest, ARepositoryThatIsGoneIsNamedWithTheCommit) {
  const auto folder = UnfoldCommit(head_, "file:///nowhere/at/all");
  EXPECT_EQ(folder.status().code(), absl::StatusCode::kNotFound) << folder.status();
  EXPECT_THAT(folder.status().ToString(), HasSubstr(head_));
  EXPECT_THAT(folder.status().ToString(), HasSubstr("file:///nowhere/at/all"));
}

TEST_F(FetchedGitTest, RepositoriesDoNotShareObjects) {
  const std::string other = folder_ + "/other";
  fs::create_directory(other);
  Shell(other, "git init -q -b main . && git commit -q --allow-empty -m other");
  const std::string commit = Shell(other, "git rev-parse HEAD");
  ASSERT_TRUE(UnfoldCommit(head_, Url()).ok());
  ASSERT_TRUE(UnfoldCommit(commit, "file://" + other).ok());
  EXPECT_EQ(UnfoldCommit(head_, "file://" + other).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(FetchedGitTest, TreesThatNobodyHoldsMakeRoom) {
  agent_options_.trees_kept = 1;
  std::vector<std::string> folders;
  for (int i = 0; i < 4; ++i) {
    WriteFile("file", std::to_string(i));
    Commit("next");
    const auto folder = UnfoldCommit(Git("rev-parse HEAD"), Url());
    ASSERT_TRUE(folder.ok()) << folder.status();
    folders.push_back(*folder);
    if (i > 0) {
      agent().ReleaseTree(*folder);
    }
  }
  EXPECT_TRUE(fs::exists(folders[0])) << "it is held";
  EXPECT_FALSE(fs::exists(folders[1])) << "it is not";
}

TEST_F(FetchedGitTest, CredentialsReachGitUnseen) {
  const std::string program = folder_ + "/git-like";
  WriteAt(program, "#!/bin/sh\n{ echo \"$@\"; env; } > " + folder_ +
                       "/seen\nsh -c \"${GIT_CONFIG_VALUE_1#!} get\" > " + folder_ + "/got\n");
  fs::permissions(program, fs::perms(0755));
  const auto ran = RunGit({.program = program,
                           .arguments = {"fetch"},
                           .folder = "",
                           .credential = GitCredential{"robot", "hunter2"}});
  ASSERT_TRUE(ran.ok()) << ran.status();
  EXPECT_EQ(ReadFile(folder_ + "/got"), "username=robot\npassword=hunter2\n");
  EXPECT_THAT(ReadFile(folder_ + "/seen"), Not(HasSubstr("hunter2")));
}

TEST_F(FetchedGitTest, AGitThatHangsIsEnded) {
  const std::string program = folder_ + "/git-like";
  WriteAt(program, "#!/bin/sh\nexec sleep 1000\n");
  fs::permissions(program, fs::perms(0755));
  const auto ran = RunGit({.program = program,
                           .arguments = {"fetch"},
                           .folder = "",
                           .credential = {},
                           .timeout = std::chrono::milliseconds(30)});
  EXPECT_EQ(ran.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(RepositoryUrl, Table) {
  const struct {
    const char* url;
    bool good;
  } cases[] = {
      {"https://example.org/a.git", true},
      {"https://robot@example.org/a.git", true},
      {"ssh://git@example.org:22/a", true},
      {"git@example.org:a/b.git", true},
      {"file:///srv/a.git", true},
      {"/srv/a.git", true},
      {"https://u:secret@example.org/a", false},
      {"ssh://u:secret@example.org/a", false},
      {"ext::sh -c id", false},
      {"--upload-pack=id", false},
      {"relative/path", false},
      {"", false},
  };
  for (const auto& each : cases) {
    const base::Status status = CheckRepositoryUrl(each.url);
    EXPECT_EQ(status.ok(), each.good) << each.url << " " << status;
    EXPECT_THAT(status.ToString(), Not(HasSubstr("secret"))) << each.url;
  }
}

}  // namespace
}  // namespace store::git
