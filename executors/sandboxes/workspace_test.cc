// SPDX-License-Identifier: Apache-2.0
// Workspaces through real keepers: what a job sees, what it leaves, what it can never change.
#include <algorithm>
#include <array>

#include "executors/sandboxes/sandbox_fixture.h"
#include "executors/sandboxes/tree_files.h"

namespace executors::sandboxes {
namespace {

namespace fs = std::filesystem;
using engine::ports::WorkspaceMount;

class WorkspaceTest : public SandboxTest {
 protected:
  WorkspaceTest() {
    fs::create_directories(tree_ + "/src/deep");
    WriteFile(tree_ + "/README", "read me\n");
    WriteFile(tree_ + "/src/tool", "#!/bin/sh\necho tool\n");
    fs::permissions(tree_ + "/src/tool", fs::perms(0755));
    fs::create_symlink("src/tool", tree_ + "/link");
    fs::create_symlink("/nowhere", tree_ + "/dangling");
    WriteFile(tree_ + "/src/deep/a,b:c\\d", "odd name\n");
  }

  WorkspaceMount Mount() const { return {.lower = tree_, .path = run_ + "/ws"}; }
  /// A command in the workspace of `sandbox`.
  engine::ports::Command In(engine::ports::Sandbox& sandbox, const std::string& script) const {
    auto command = Shell(script);
    command.workdir = sandbox.facts().workspace_path;
    return command;
  }
  std::string Output(engine::ports::Sandbox& sandbox, const std::string& script) {
    const auto exit = Run(sandbox, In(sandbox, script));
    EXPECT_TRUE(exit.started.ok()) << exit.started;
    return LogText(exit.log);
  }
  /// Everything about the tree that must not change.
  std::string TreePrint() const {
    std::string print;
    std::vector<fs::path> paths(fs::recursive_directory_iterator(tree_), {});
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
      struct stat stat {};
      lstat(path.c_str(), &stat);
      print += path.string() + " " + std::to_string(stat.st_mode) + " " +
               std::to_string(stat.st_mtim.tv_nsec) + " " + std::to_string(stat.st_nlink) + " ";
      print += fs::is_symlink(path)        ? fs::read_symlink(path).string()
               : fs::is_regular_file(path) ? ReadFile(path)
                                           : "";
      print += "\n";
    }
    return print;
  }

  const std::string tree_ = folder_ + "/the,tree:odd\\name";
};

struct Means {
  const char* name;
  bool allow_mounts;
};

/// The same promises whatever the machine allows.
class AnyWorkspace : public WorkspaceTest, public ::testing::WithParamInterface<Means> {
 protected:
  std::unique_ptr<engine::ports::Sandbox> Ready(std::uint32_t slot = 0) {
    auto options = Options(slot);
    options.allow_mounts = GetParam().allow_mounts;
    auto sandbox = Make(std::move(options));
    const auto status = Prepare(*sandbox, Mount());
    EXPECT_TRUE(status.ok()) << status;
    return sandbox;
  }
};

INSTANTIATE_TEST_SUITE_P(, AnyWorkspace,
                         ::testing::Values(Means{"mounted", true}, Means{"copied", false}),
                         [](const auto& param) { return std::string(param.param.name); });

TEST_P(AnyWorkspace, ShowsTheTreeAsItIs) {
  const auto sandbox = Ready();
  EXPECT_EQ(Output(*sandbox,
                   "cat README; ./link; readlink dangling; cat src/deep/*; stat -c %a src/tool"),
            "read me\ntool\n/nowhere\nodd name\n755\n");
}

TEST_P(AnyWorkspace, NothingAJobDoesReachesTheTree) {
  const auto before = TreePrint();
  const auto sandbox = Ready();
  Output(*sandbox,
         "echo more >> README; rm -r src/deep; chmod 700 src/tool; ln -f src/tool hard; "
         "mv link moved; touch new; echo x > src/tool; touch -d @0 README");
  EXPECT_EQ(TreePrint(), before);
}

TEST_P(AnyWorkspace, ADirtyWorkspaceIsFreshForTheNextJob) {
  const auto sandbox = Ready();
  Output(*sandbox, "rm -r README src; echo dirt > dirt; mkdir -p a/b/c; chmod 0 a/b");
  KillAll(*sandbox);
  const auto status = Prepare(*sandbox, Mount());
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Output(*sandbox, "cat README; ls"), "read me\nREADME\ndangling\nlink\nsrc\n");
}

TEST_P(AnyWorkspace, HasTheSamePathInAllJobsOfASlot) {
  const auto sandbox = Ready();
  const auto first = Output(*sandbox, "pwd; touch dirt");
  ASSERT_TRUE(Prepare(*sandbox, Mount()).ok());
  EXPECT_EQ(Output(*sandbox, "pwd"), first);
}

TEST_P(AnyWorkspace, SlotsDoNotSeeEachOthersFiles) {
  const auto first = Ready(0);
  const auto second = Ready(1);
  Output(*first, "echo one > mine");
  EXPECT_EQ(Output(*second, "ls mine 2>/dev/null || echo none"), "none\n");
  EXPECT_EQ(Output(*first, "cat mine"), "one\n");
}

TEST_P(AnyWorkspace, TheOwnerReadsAndWritesThroughTheView) {
  const auto sandbox = Ready();
  Output(*sandbox, "echo made > made");
  const auto view = sandbox->facts().workspace_view;
  EXPECT_EQ(ReadFile(view + "/made"), "made\n");
  WriteFile(view + "/given", "given\n");
  EXPECT_EQ(Output(*sandbox, "cat given"), "given\n");
}

TEST_P(AnyWorkspace, AnEmptyTreeGivesAnEmptyWorkspace) {
  auto options = Options();
  options.allow_mounts = GetParam().allow_mounts;
  const auto sandbox = Make(std::move(options));
  ASSERT_TRUE(Prepare(*sandbox, {.lower = "", .path = run_ + "/ws"}).ok());
  EXPECT_EQ(Output(*sandbox, "ls -A; touch new; ls -A"), "new\n");
}

TEST_P(AnyWorkspace, NamesATreeThatIsNotThere) {
  auto options = Options();
  options.allow_mounts = GetParam().allow_mounts;
  const auto sandbox = Make(std::move(options));
  const auto status = Prepare(*sandbox, {.lower = folder_ + "/nowhere", .path = run_ + "/ws"});
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  ASSERT_TRUE(Prepare(*sandbox, Mount()).ok());
  EXPECT_EQ(Output(*sandbox, "cat README"), "read me\n");
}

TEST_P(AnyWorkspace, PreparingKillsWhoIsStillInIt) {
  const auto sandbox = Ready();
  const auto exit = Run(*sandbox, In(*sandbox, "setsid sleep 1000 & :"));
  EXPECT_EQ(exit.leftover, 1U);
  ASSERT_TRUE(Prepare(*sandbox, Mount()).ok());
  EXPECT_EQ(Run(*sandbox, In(*sandbox, ":")).leftover, 0U);
}

TEST_P(AnyWorkspace, StepsRunAsTheUserWhoStartedTheRun) {
  const auto sandbox = Ready();
  EXPECT_EQ(Output(*sandbox, "id -u; id -g; stat -c %u .; touch mine; stat -c %u mine"), [] {
    const auto user = std::to_string(geteuid()) + "\n";
    return user + std::to_string(getegid()) + "\n" + user + user;
  }());
}

TEST_P(AnyWorkspace, NothingStaysBehind) {
  Output(*Ready(), "echo dirt > dirt");
  EXPECT_FALSE(fs::exists(run_ + "/ws-0"));
  EXPECT_FALSE(fs::exists(run_ + "/layers"));
  EXPECT_TRUE(!fs::exists(run_ + "/ws") || fs::is_empty(run_ + "/ws"));
}

class MountedWorkspace : public WorkspaceTest {
 protected:
  void SetUp() override {
    sandbox_ = Make(Options());
    ASSERT_TRUE(Prepare(*sandbox_, Mount()).ok());
    if (sandbox_->facts().workspace_kind != "overlay") {
      GTEST_SKIP() << "no overlay here: " << sandbox_->facts().fallbacks.at(0);
    }
  }
  void TearDown() override { sandbox_.reset(); }
  std::unique_ptr<engine::ports::Sandbox> sandbox_;
};

TEST_F(MountedWorkspace, IsAtThePathThatWasAskedFor) {
  EXPECT_EQ(sandbox_->facts().workspace_path, run_ + "/ws");
  EXPECT_TRUE(fs::is_empty(run_ + "/ws")) << "the mount is the keeper's own";
}

TEST_F(MountedWorkspace, IsHandedOnWhileUntouched) {
  const auto made_second = [this] {
    for (const auto& keeper : fs::directory_iterator(run_ + "/layers")) {
      if (fs::exists(keeper.path() / "2")) {
        return true;
      }
    }
    return false;
  };
  Output(*sandbox_, "cat README; touch new; rm new");
  ASSERT_TRUE(Prepare(*sandbox_, Mount()).ok());
  EXPECT_FALSE(made_second());
  Output(*sandbox_, "touch dirt");
  ASSERT_TRUE(Prepare(*sandbox_, Mount()).ok());
  EXPECT_TRUE(made_second());
}

TEST_F(MountedWorkspace, AChangedModeOfTheRootIsNoticed) {
  const auto before = Output(*sandbox_, "stat -c %a .");
  Output(*sandbox_, "chmod 700 .");
  ASSERT_TRUE(Prepare(*sandbox_, Mount()).ok());
  EXPECT_EQ(Output(*sandbox_, "stat -c %a ."), before);
}

TEST_F(MountedWorkspace, AnotherTreeReplacesIt) {
  const auto other = folder_ + "/other";
  fs::create_directory(other);
  WriteFile(other + "/file", "other\n");
  ASSERT_TRUE(Prepare(*sandbox_, {.lower = other, .path = run_ + "/ws"}).ok());
  EXPECT_EQ(Output(*sandbox_, "ls"), "file\n");
}

TEST_F(MountedWorkspace, WhatAStepMountsIsGoneForTheNextJob) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root's steps can mount";
  }
  const auto elsewhere = folder_ + "/elsewhere";
  fs::create_directory(elsewhere);
  EXPECT_EQ(Output(*sandbox_, "mount -t tmpfs none src; mount -t tmpfs none " + elsewhere +
                                  "; touch " + elsewhere + "/x; ls src"),
            "");
  ASSERT_TRUE(Prepare(*sandbox_, Mount()).ok());
  EXPECT_EQ(Output(*sandbox_, "ls src; ls -A " + elsewhere), "deep\ntool\n");
}

TEST_F(MountedWorkspace, FoldersOfTheTreeCanBeMoved) {
  EXPECT_EQ(Output(*sandbox_, "mv src moved; moved/tool"), "tool\n");
}

TEST(RemoveTree, RemovesFoldersWithoutPermissions) {
  std::string pattern = fs::temp_directory_path() / "dayfly-tree-XXXXXX";
  const std::string folder = mkdtemp(pattern.data());
  fs::create_directories(folder + "/a/b/c");
  std::ofstream(folder + "/a/b/file") << "x";
  fs::create_symlink("/", folder + "/a/root");
  fs::permissions(folder + "/a/b", fs::perms(0));
  fs::permissions(folder + "/a", fs::perms(0500));
  EXPECT_TRUE(RemoveTree(folder));
  EXPECT_FALSE(fs::exists(folder));
  EXPECT_TRUE(RemoveTree(folder)) << "nothing to remove is no failure";
}

TEST(CopyTree, RefusesWhatAGitTreeCannotHold) {
  std::string pattern = fs::temp_directory_path() / "dayfly-tree-XXXXXX";
  const std::string folder = mkdtemp(pattern.data());
  fs::create_directories(folder + "/from");
  fs::create_directories(folder + "/to");
  ASSERT_EQ(mkfifo((folder + "/from/fifo").c_str(), 0600), 0);
  EXPECT_EQ(CopyTree(folder + "/from", folder + "/to").status().code(),
            absl::StatusCode::kFailedPrecondition);
  RemoveTree(folder);
}

}  // namespace
}  // namespace executors::sandboxes
