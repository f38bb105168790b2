// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/git/git_fixture.h"

namespace store::git {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using engine::base::Message;
using engine::ports::WorkingTree;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RecordTest : public GitTest {
 protected:
  // What stands in the recorded tree, read by git from our objects and the user's.
  std::string Listing(const WorkingTree& tree) {
    return Shell(repo_, "GIT_ALTERNATE_OBJECT_DIRECTORIES='" + options_.objects_folder +
                            "' git ls-tree -r --format='%(objectmode) %(path)' " + tree.tree);
  }
  std::string Content(const WorkingTree& tree, const std::string& path) {
    return Shell(repo_, "GIT_ALTERNATE_OBJECT_DIRECTORIES='" + options_.objects_folder +
                            "' git cat-file -p " + tree.tree + ":" + path);
  }
};

TEST_F(RecordTest, ACleanTreeIsTheCommitsTree) {
  MakeRepository();
  Git("tag v1.0");
  const WorkingTree tree = Record();
  EXPECT_EQ(tree.tree, Git("rev-parse HEAD^{tree}"));
  EXPECT_EQ(tree.commit, Git("rev-parse HEAD"));
  EXPECT_EQ(tree.branch, "main");
  EXPECT_EQ(tree.tag, "v1.0");
  EXPECT_EQ(tree.root, fs::canonical(repo_));
  EXPECT_EQ(engine::base::ToMicros(tree.time), 1'700'000'000'000'000);
  EXPECT_EQ(tree.files, 4u);
  EXPECT_FALSE(tree.dirty);
}

TEST_F(RecordTest, TakesWhatIsTrackedAndNewButNotWhatIsIgnored) {
  MakeRepository();
  WriteFile(".gitignore", "*.o\nbuild/\n/kept.o/\n");
  WriteFile("forced.o", "tracked though ignored");
  Git("add -f forced.o");
  WriteFile("build/out", "ignored");
  WriteFile("build/tracked", "tracked in an ignored folder");
  Git("add -f build/tracked");
  WriteFile("new/file", "new");
  WriteFile("x.o", "ignored");
  WriteFile("file", "changed\n");
  fs::remove(repo_ + "/run.sh");
  WriteFile(".dayfly/ci.yml", "jobs:");
  WriteFile(".dayfly/secrets", "TOKEN=1");
  const WorkingTree tree = Record();
  EXPECT_EQ(Listing(tree),
            "100644 .dayfly/ci.yml\n100644 .gitignore\n100644 build/tracked\n100644 dir/inner\n"
            "100644 file\n100644 forced.o\n120000 link\n100644 new/file");
  EXPECT_EQ(Content(tree, "file"), "changed");
  EXPECT_TRUE(tree.dirty);
}

TEST_F(RecordTest, TreesAreOrderedAsGitOrdersThem) {
  MakeRepository();
  for (const char* path : {"a/x", "a.c", "a-b", "a0", "b/c/d", "b/c.d", "b/c-d/e"}) {
    WriteFile(path, path);
  }
  const WorkingTree tree = Record();
  Git("add -A");
  EXPECT_EQ(tree.tree, Git("write-tree"));
}

TEST_F(RecordTest, SeesAChangeOfTheSameSizeAndTime) {
  MakeRepository();
  WriteFile("file", "eno\n");
  Shell(repo_, "touch -d '2020-01-01' file");
  EXPECT_EQ(Content(Record(), "file"), "eno");
}

TEST_F(RecordTest, SeesAChangeOfModeOrKind) {
  MakeRepository();
  fs::permissions(repo_ + "/file", fs::perms(0755));
  fs::remove(repo_ + "/link");
  WriteFile("link", "a file now");
  EXPECT_EQ(Listing(Record()), "100644 dir/inner\n100755 file\n100644 link\n100755 run.sh");
}

TEST_F(RecordTest, NeverWritesIntoTheRepository) {
  MakeRepository();
  WriteFile("new", "1");
  WriteFile("file", "changed");
  Git("add new");
  const std::string before = Fingerprint(repo_);
  Unfold(Record());
  EXPECT_EQ(Fingerprint(repo_), before);
}

TEST_F(RecordTest, StagedChangesMakeATreeDirty) {
  MakeRepository();
  EXPECT_FALSE(Record().dirty);
  WriteFile("file", "staged");
  Git("add file");
  EXPECT_TRUE(Record().dirty);
}

TEST_F(RecordTest, ARepositoryWithoutCommitsHasFiles) {
  Git("init -q -b trunk .");
  WriteFile("file", "1");
  const WorkingTree tree = Record();
  EXPECT_EQ(tree.commit, "");
  EXPECT_EQ(tree.branch, "trunk");
  EXPECT_TRUE(tree.has_repository);
  EXPECT_EQ(tree.files, 1u);
  EXPECT_TRUE(tree.dirty);
}

TEST_F(RecordTest, ADetachedHeadHasNoBranch) {
  MakeRepository();
  Git("checkout -q --detach");
  const WorkingTree tree = Record();
  EXPECT_EQ(tree.branch, "");
  EXPECT_EQ(tree.commit, Git("rev-parse HEAD"));
}

TEST_F(RecordTest, AFolderWithoutARepositoryIsTakenWhole) {
  WriteFile("a", "1");
  WriteFile("d/b", "2");
  WriteFile("skip.log", "3");
  WriteFile(".gitignore", "*.log\n");
  const WorkingTree tree = Record();
  EXPECT_FALSE(tree.has_repository);
  EXPECT_EQ(tree.files, 3u);
  EXPECT_EQ(tree.root, fs::canonical(repo_));
  const std::string folder = Unfold(tree);
  EXPECT_EQ(ReadFile(folder + "/d/b"), "2");
  EXPECT_FALSE(fs::exists(folder + "/.git"));
  EXPECT_FALSE(fs::exists(repo_ + "/.git"));
}

TEST_F(RecordTest, SaysWhatItCannotRecord) {
  EXPECT_EQ(source().WriteWorkingTree(folder_ + "/nowhere").status().code(), StatusCode::kNotFound);
  Git("init -q --bare .");
  const auto bare = source().WriteWorkingTree(repo_);
  EXPECT_EQ(bare.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Message(bare.status())), HasSubstr("bare"));
}

TEST_F(RecordTest, HasLimitsThatAreNamed) {
  options_.files_max_plain = 3;
  options_.new_bytes_max = 100;
  for (const char* path : {"a", "b", "c", "d"}) {
    WriteFile(path, "1");
  }
  const auto many = source().WriteWorkingTree(repo_);
  EXPECT_EQ(many.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(Message(many.status())), HasSubstr("more than 3 files"));
  EXPECT_THAT(std::string(Message(many.status())), HasSubstr("checkout: false"));
  fs::remove(repo_ + "/d");
  WriteFile("a", std::string(101, 'x'));
  const auto large = source().WriteWorkingTree(repo_);
  EXPECT_EQ(large.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(Message(large.status())), HasSubstr("100 bytes"));
}

TEST_F(RecordTest, SubmodulesAreTheirFiles) {
  MakeRepository();
  const std::string other = folder_ + "/other";
  fs::create_directory(other);
  Shell(other,
        "git init -q -b main . && echo sub > s && echo '*.x' > .gitignore && git add -A && "
        "git commit -q -m s");
  Git("-c protocol.file.allow=always submodule --quiet add ../other lib/sub");
  Commit("sub");
  WriteFile("lib/sub/new", "n");
  WriteFile("lib/sub/ignored.x", "i");
  const WorkingTree tree = Record();
  EXPECT_THAT(Listing(tree), HasSubstr("100644 lib/sub/.gitignore\n100644 lib/sub/new\n"
                                       "100644 lib/sub/s"));
  EXPECT_EQ(ReadFile(Unfold(tree) + "/lib/sub/s"), "sub\n");
  EXPECT_THAT(tree.warnings, IsEmpty());
  Git("submodule --quiet deinit -f lib/sub");
  EXPECT_THAT(Record().warnings, ElementsAre(HasSubstr("submodule 'lib/sub' is not checked out")));
}

TEST_F(RecordTest, FilesAreRecordedAsTheyAreNotAsFiltersStoreThem) {
  MakeRepository();
  WriteFile(".gitattributes", "*.txt text eol=crlf\n");
  WriteFile("a.txt", "line\r\n");
  Commit("crlf");
  EXPECT_EQ(Git("cat-file -p HEAD:a.txt | wc -c"), "5");
  const WorkingTree tree = Record();
  EXPECT_EQ(ReadFile(Unfold(tree) + "/a.txt"), "line\r\n");
  EXPECT_FALSE(tree.dirty);
}

TEST_F(RecordTest, AFilterThatKeepsTheLengthIsNoticed) {
  MakeRepository();
  Git("config filter.shout.clean 'tr a-z A-Z'");
  Git("config filter.shout.smudge 'tr A-Z a-z'");
  WriteFile(".gitattributes", "*.txt filter=shout\n");
  WriteFile("a.txt", "line\n");
  Git("config core.checkStat default");
  Shell(repo_, "touch -d 2020-01-01 a.txt");  // else the index may be too young to be believed
  Commit("filtered");
  EXPECT_EQ(Git("cat-file -p HEAD:a.txt"), "LINE");
  const WorkingTree tree = Record();
  EXPECT_EQ(ReadFile(Unfold(tree) + "/a.txt"), "line\n");
  EXPECT_FALSE(tree.dirty);
}

TEST_F(RecordTest, ASubfolderRecordsTheWholeRepository) {
  MakeRepository();
  const auto tree = source().WriteWorkingTree(repo_ + "/dir");
  ASSERT_TRUE(tree.ok()) << tree.status();
  EXPECT_EQ(tree->files, 4u);
  EXPECT_EQ(tree->root, fs::canonical(repo_));
}

TEST_F(RecordTest, OwnStateInsideTheRepositoryIsLeftOut) {
  MakeRepository();
  options_ = {.objects_folder = repo_ + "/state/objects", .trees_folder = repo_ + "/state/trees"};
  WriteFile("state/runs/1/facts.db", "x");
  EXPECT_EQ(Record().files, 4u);
}

TEST_F(RecordTest, ATreeThatKeepsChangingIsRefusedByName) {
  MakeRepository();
  int changes = 0;
  options_.after_reading = [&] { WriteFile("busy", std::to_string(++changes)); };
  const auto tree = source().WriteWorkingTree(repo_);
  ASSERT_EQ(tree.status().code(), StatusCode::kAborted) << tree.status();
  EXPECT_THAT(std::string(Message(tree.status())), HasSubstr("'busy'"));
  EXPECT_GT(changes, 1);
}

TEST_F(RecordTest, ATreeThatComesToRestIsRecordedAsItIsThen) {
  MakeRepository();
  int changes = 0;
  options_.after_reading = [&] {
    if (++changes == 1) {
      WriteFile("file", "changed while it was read");
      WriteFile("new", "n");
      WriteFile(".gitignore", "new\n");
    }
  };
  EXPECT_EQ(Listing(Record()),
            "100644 .gitignore\n100644 dir/inner\n100644 file\n120000 link\n100755 run.sh");
}

TEST_F(RecordTest, SocketsAndPipesAreLeftOut) {
  MakeRepository();
  ASSERT_EQ(mkfifo((repo_ + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(Record().files, 4u);
}

TEST_F(RecordTest, LargeFilesAreStreamed) {
  MakeRepository();
  std::string large(20U << 20, 'x');
  large += "end";
  WriteFile("large", large);
  EXPECT_EQ(ReadFile(Unfold(Record()) + "/large"), large);
}

}  // namespace
}  // namespace store::git
