// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/git/git_fixture.h"
#include "store/git/layer_names.h"

namespace store::git {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using engine::ports::WorkingTree;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LayerTest : public GitTest {
 protected:
  static struct stat StatOf(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status;
  }
  // What a step gets: a copy of the layer that it may change.
  std::string Workspace(const std::string& layer) {
    const std::string copy = folder_ + "/ws";
    fs::remove_all(copy);
    Shell(folder_, "cp -a '" + layer + "' '" + copy + "'");
    return copy;
  }
};

TEST_F(LayerTest, HoldsTheFilesWithModesLinksAndOneTime) {
  MakeRepository();
  const std::string layer = Unfold(Record());
  EXPECT_EQ(ReadFile(layer + "/file"), "one\n");
  EXPECT_EQ(ReadFile(layer + "/dir/inner"), "two\n");
  EXPECT_EQ(fs::read_symlink(layer + "/link"), "dir/inner");
  EXPECT_EQ(StatOf(layer + "/run.sh").st_mode & 07777U, 0755U);
  EXPECT_EQ(StatOf(layer + "/file").st_mode & 07777U, 0644U);
  for (const char* path : {"", "/file", "/dir", "/dir/inner", "/link", "/run.sh"}) {
    EXPECT_EQ(StatOf(layer + path).st_mtim.tv_sec, 1'700'000'000) << path;
    EXPECT_EQ(StatOf(layer + path).st_mtim.tv_nsec, 0) << path;
  }
}

TEST_F(LayerTest, GitTellsOfTheRecordedState) {
  MakeRepository();
  Git("tag -a -m x v2");
  Git("commit -q --allow-empty -m second");
  Git("branch side");
  WriteFile("file", "changed\n");
  WriteFile("new", "n");
  const std::string workspace = Workspace(Unfold(Record()));
  EXPECT_EQ(Shell(workspace, "git rev-parse HEAD"), Git("rev-parse HEAD"));
  EXPECT_EQ(Shell(workspace, "git describe"), Git("describe"));
  EXPECT_EQ(Shell(workspace, "git rev-parse side"), Git("rev-parse side"));
  EXPECT_EQ(Shell(workspace, "git branch --show-current"), "main");
  EXPECT_EQ(Shell(workspace, "git status --porcelain"), Git("status --porcelain"));
  EXPECT_EQ(Shell(workspace, "git diff"), Git("diff"));
  EXPECT_EQ(Shell(workspace, "git log --oneline"), Git("log --oneline"));
  EXPECT_EQ(Shell(workspace, "git fsck --connectivity-only 2>&1 | grep -v dangling || true"), "");
}

TEST_F(LayerTest, WhatAStepDoesStaysInItsWorkspace) {
  MakeRepository();
  const std::string layer = Unfold(Record());
  const std::string workspace = Workspace(layer);
  const std::string before = Git("for-each-ref") + Git("count-objects -v") + Git("status -s");
  const std::string layer_before = Fingerprint(layer);
  Shell(workspace,
        "echo more >> file && git commit -q -a -m step && git tag step && git checkout -q -b other "
        "&& git gc -q --prune=now && git reset -q --hard HEAD~1");
  EXPECT_EQ(Git("for-each-ref") + Git("count-objects -v") + Git("status -s"), before);
  EXPECT_EQ(Fingerprint(layer), layer_before);
}

TEST_F(LayerTest, CleanFilesNeedNotBeReadByStatus) {
  MakeRepository();
  const std::string workspace = Workspace(Unfold(Record()));
  EXPECT_THAT(Shell(workspace, "git ls-files --debug file"), HasSubstr("size: 4"));
  EXPECT_EQ(Shell(workspace, "git diff-files"), "");
}

TEST_F(LayerTest, IsMadeOnceForTheSameState) {
  MakeRepository();
  const WorkingTree tree = Record();
  const std::string layer = Unfold(tree);
  const std::string before = Fingerprint(layer);
  EXPECT_EQ(Unfold(tree), layer);
  EXPECT_EQ(Fingerprint(layer), before);
  Git("tag later");
  EXPECT_NE(Unfold(tree), layer) << "git describe would tell something else";
}

TEST_F(LayerTest, SharesUnchangedFilesWithASimilarLayer) {
  MakeRepository();
  const std::string first = Unfold(Record());
  WriteFile("file", "changed\n");
  const std::string second = Unfold(Record());
  EXPECT_NE(first, second);
  EXPECT_EQ(StatOf(first + "/dir/inner").st_ino, StatOf(second + "/dir/inner").st_ino);
  EXPECT_NE(StatOf(first + "/file").st_ino, StatOf(second + "/file").st_ino);
  EXPECT_EQ(ReadFile(first + "/file"), "one\n");
  EXPECT_EQ(ReadFile(second + "/file"), "changed\n");
}

TEST_F(LayerTest, TwoAtOnceMakeOne) {
  MakeRepository();
  const WorkingTree tree = Record();
  std::vector<std::thread> threads;
  std::vector<std::string> layers(4);
  for (std::string& layer : layers) {
    threads.emplace_back([&, this] {
      auto own = LocalGit::Open(options_);
      layer = (*own)->UnfoldTree(RequestFor(tree)).value_or("failed");
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const std::string& layer : layers) {
    EXPECT_EQ(layer, layers[0]);
    EXPECT_EQ(ReadFile(layer + "/file"), "one\n");
  }
}

TEST_F(LayerTest, SaysWhichObjectIsGone) {
  MakeRepository();
  WorkingTree tree = Record();
  tree.tree = std::string(40, 'a');
  EXPECT_EQ(source().UnfoldTree(RequestFor(tree)).status().code(), StatusCode::kNotFound);
  tree.tree = "../../etc";
  EXPECT_EQ(source().UnfoldTree(RequestFor(tree)).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(LayerTest, OldOnesGoUnlessTheyAreUsed) {
  MakeRepository();
  options_.trees_kept = 1;
  std::vector<std::string> layers;
  std::unique_ptr<LocalGit> user = *LocalGit::Open(options_);
  for (int i = 0; i < 4; ++i) {
    WriteFile("file", std::to_string(i));
    const auto tree = user->WriteWorkingTree(repo_);
    layers.push_back(user->UnfoldTree(RequestFor(*tree)).value_or(""));
  }
  EXPECT_EQ(*source().RemoveOldTrees(), 0u) << "all are in use";
  user.reset();
  EXPECT_EQ(*source().RemoveOldTrees(), 3u);
  EXPECT_FALSE(fs::exists(layers[0]));
  EXPECT_TRUE(fs::exists(layers[3]));
}

TEST_F(LayerTest, FilesFromElsewhereAreFetchedOnceAndShared) {
  int fills = 0;
  const auto fill = [&](const std::string& folder) {
    ++fills;
    WriteAt(folder + "/dir/file", "from elsewhere");
    return engine::base::OkStatus();
  };
  const std::string name(64, 'a');
  const auto first = source().UnfoldFilled(name, fill);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(ReadFile(*first + "/dir/file"), "from elsewhere");
  EXPECT_EQ(source().UnfoldFilled(name, fill).value_or(""), *first);
  EXPECT_EQ(fills, 1);
  EXPECT_NE(source().UnfoldFilled(std::string(64, 'b'), fill).value_or(""), *first);
  EXPECT_EQ(fills, 2);
}

TEST_F(LayerTest, WhatCouldNotBeFetchedWholeIsNotThere) {
  const std::string name(64, 'a');
  const auto cut = source().UnfoldFilled(name, [&](const std::string& folder) {
    WriteAt(folder + "/part", "p");
    return engine::base::Unavailable("cut off");
  });
  EXPECT_EQ(cut.status().code(), StatusCode::kUnavailable);
  for (const fs::directory_entry& entry : fs::directory_iterator(options_.trees_folder)) {
    EXPECT_FALSE(entry.is_directory()) << entry.path();
  }
  const auto whole = source().UnfoldFilled(name, [&](const std::string& folder) {
    WriteAt(folder + "/whole", "w");
    return engine::base::OkStatus();
  });
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_FALSE(fs::exists(*whole + "/part"));
}

TEST_F(LayerTest, FilesFromElsewhereGoWhenNobodyUsesThem) {
  options_.trees_kept = 0;
  const auto folder = source().UnfoldFilled(
      std::string(64, 'a'), [](const std::string&) { return engine::base::OkStatus(); });
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(*source().RemoveOldTrees(), 0u);
  source().ReleaseTree(*folder);
  EXPECT_EQ(*source().RemoveOldTrees(), 1u);
  EXPECT_FALSE(fs::exists(*folder));
}

TEST(LayersToRemove, KeepsTheNewestOfThisBoot) {
  const LayerOrigin now = {.tree = "t", .boot = "now", .mtime = 0};
  const LayerOrigin old = {.tree = "t", .boot = "old", .mtime = 0};
  const std::vector<KnownLayer> layers = {{.name = "a", .used_ns = 5, .origin = now},
                                          {.name = "b", .used_ns = 4, .origin = old},
                                          {.name = "c", .used_ns = 3, .origin = now},
                                          {.name = "d", .used_ns = 2, .origin = now}};
  EXPECT_THAT(LayersToRemove(layers, 2, "now"), ElementsAre("b", "d"));
  EXPECT_THAT(LayersToRemove(layers, 0, "old"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(LayersToRemove({}, 2, "now"), IsEmpty());
}

TEST(LayerOrigin, ComesBackFromItsText) {
  const LayerOrigin origin = {.tree = "abc", .boot = "1-2", .mtime = -5};
  EXPECT_EQ(LayerOriginFromText(ToText(origin)), origin);
  for (const char* bad : {"", "tree a\n", "tree a\nboot b\nmtime x\n", "tree a\nboot b\nmtime 1"}) {
    EXPECT_EQ(LayerOriginFromText(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace store::git
