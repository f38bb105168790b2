// SPDX-License-Identifier: Apache-2.0
// For tests: a folder with a user's repository and Dayfly's own folders in it. Repositories are
// made and looked at with the `git` program, so that the tests do not share libgit2's opinions.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <gtest/gtest.h>

#include "store/git/local_git.h"

namespace store::git {

class GitTest : public ::testing::Test {
 protected:
  GitTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "dayfly-git-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    repo_ = folder_ + "/repo";
    std::filesystem::create_directory(repo_);
    options_ = {.objects_folder = folder_ + "/state/objects",
                .trees_folder = folder_ + "/state/trees"};
  }
  ~GitTest() override {
    git_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  void SetUp() override {
    if (std::system("git --version >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "the git program is missing";
    }
  }

  LocalGit& source() {
    if (git_ == nullptr) {
      auto opened = LocalGit::Open(options_);
      EXPECT_TRUE(opened.ok()) << opened.status();
      git_ = *std::move(opened);
    }
    return *git_;
  }

  /// What a shell command prints, without the last newline; it runs in `folder` with a quiet git.
  std::string Shell(const std::string& folder, const std::string& command) const {
    const std::string whole =
        "cd '" + folder + "' && export HOME='" + folder_ +
        "' GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a "
        "GIT_COMMITTER_EMAIL=a@b GIT_AUTHOR_DATE='1700000000 +0000' "
        "GIT_COMMITTER_DATE='1700000000 +0000'; (" +
        command + ") 2>&1";
    FILE* const pipe = popen(whole.c_str(), "r");
    std::string text;
    char buffer[4096];
    for (std::size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
      text.append(buffer, got);
    }
    const int status = pclose(pipe);
    EXPECT_EQ(status, 0) << command << "\n" << text;
    while (text.ends_with('\n')) {
      text.pop_back();
    }
    return text;
  }
  std::string Git(const std::string& arguments) const { return Shell(repo_, "git " + arguments); }

  /// A repository with one commit of `file`, `dir/inner`, `run.sh` (executable) and `link`.
  void MakeRepository() {
    Git("init -q -b main .");
    WriteFile("file", "one\n");
    WriteFile("dir/inner", "two\n");
    WriteFile("run.sh", "#!/bin/sh\n");
    std::filesystem::permissions(repo_ + "/run.sh", std::filesystem::perms(0755));
    std::filesystem::create_symlink("dir/inner", repo_ + "/link");
    Commit("first");
  }
  /// Dates the files back before the index is written, so that no entry is racy.
  void Commit(const std::string& message) {
    Shell(repo_, "find . -path ./.git -prune -o -print0 | xargs -0 touch -h -d '2020-01-01'");
    Git("add -A");
    Git("commit -q --allow-empty -m " + message);
  }

  void WriteFile(const std::string& path, const std::string& text) const {
    WriteAt(repo_ + "/" + path, text);
  }
  static void WriteAt(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  engine::ports::WorkingTree Record() {
    auto tree = source().WriteWorkingTree(repo_);
    EXPECT_TRUE(tree.ok()) << tree.status();
    return tree.value_or(engine::ports::WorkingTree{});
  }
  engine::ports::TreeRequest RequestFor(const engine::ports::WorkingTree& tree) const {
    return {.tree = tree.tree, .commit = tree.commit, .branch = tree.branch, .source = repo_};
  }
  std::string Unfold(const engine::ports::WorkingTree& tree) {
    auto folder = source().UnfoldTree(RequestFor(tree));
    EXPECT_TRUE(folder.ok()) << folder.status();
    return folder.value_or("");
  }
  /// Everything below a folder: names, modes, sizes, times, contents' sums.
  std::string Fingerprint(const std::string& folder) const {
    return Shell(folder,
                 "find . -printf '%p %m %s %T@ %i %l\\n' | sort; find . -type f -print0 | sort -z "
                 "| xargs -0 sha256sum");
  }

  std::string folder_;
  std::string repo_;
  LocalGitOptions options_;

 private:
  std::unique_ptr<LocalGit> git_;
};

/// With a repository that others fetch from.
class RemoteGitTest : public GitTest {
 protected:
  void SetUp() override {
    GitTest::SetUp();
    if (!IsSkipped()) {
      MakeRepository();
      head_ = Git("rev-parse HEAD");
    }
  }
  std::string Url() const { return "file://" + repo_; }

  std::string head_;
};

}  // namespace store::git
