// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/archive.h"

#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/artifacts/manifest.h"
#include "store/artifacts/store_fixture.h"

namespace store::artifacts {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace model = engine::model;
using absl::StatusCode;
using ::testing::HasSubstr;

class ArchiveTest : public StoreTest {
 protected:
  ArchiveTest() : from_(folder_ + "/from"), to_(folder_ + "/to"), archive_(*store_) {
    fs::create_directory(from_);
    fs::create_directory(to_);
  }

  base::StatusOr<model::Artifact> Pack(std::vector<std::string> paths) {
    return archive_.Pack({.root = from_, .name = "it", .paths = std::move(paths)}, {});
  }
  model::Artifact MustPack(std::vector<std::string> paths) {
    auto artifact = Pack(std::move(paths));
    EXPECT_TRUE(artifact.ok()) << artifact.status();
    return artifact.value_or(model::Artifact{});
  }
  base::Status Unpack(const model::Artifact& artifact) {
    return archive_.Unpack(artifact, to_, {});
  }
  model::Artifact FromManifest(const Manifest& manifest) {
    return {.name = "made", .manifest = *PutManifest(*store_, manifest)};
  }
  static void SetTime(const std::string& path, std::int64_t seconds, std::int64_t nanoseconds) {
    const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                               {.tv_sec = seconds, .tv_nsec = nanoseconds}};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }
  static struct stat StatOf(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status;
  }
  static std::string Noise(std::size_t bytes) {
    std::string text(bytes, '\0');
    std::uint64_t state = 1;
    for (char& c : text) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      c = static_cast<char>(state >> 56);
    }
    return text;
  }

  std::string from_;
  std::string to_;
  Archive archive_;
};

TEST_F(ArchiveTest, KeepsContentsModesLinksAndTimes) {
  WriteFile(from_ + "/build/bin/app", "#!/bin/sh\n");
  WriteFile(from_ + "/build/readme", "text");
  WriteFile(from_ + "/build/nothing", "");
  WriteFile(from_ + "/other", "not taken");
  fs::create_directory(from_ + "/build/empty");
  fs::create_symlink("bin/app", from_ + "/build/link");
  fs::create_symlink("/nowhere/at all", from_ + "/build/dangling");
  chmod((from_ + "/build/bin/app").c_str(), 0750);
  chmod((from_ + "/build/empty").c_str(), 0711);
  SetTime(from_ + "/build/readme", 1'000'000'000, 123'456'789);
  SetTime(from_ + "/build/link", 1'000'000'001, 5);
  SetTime(from_ + "/build/bin", 999'999'999, 7);

  const model::Artifact artifact = MustPack({"build"});
  EXPECT_EQ(artifact.files, 5u);
  EXPECT_EQ(artifact.bytes, 14u);
  ASSERT_TRUE(Unpack(artifact).ok());

  EXPECT_EQ(ReadFile(to_ + "/build/bin/app"), "#!/bin/sh\n");
  EXPECT_EQ(StatOf(to_ + "/build/bin/app").st_mode & 07777U, 0750U);
  EXPECT_EQ(StatOf(to_ + "/build/empty").st_mode & 07777U, 0711U);
  EXPECT_EQ(StatOf(to_ + "/build/nothing").st_size, 0);
  EXPECT_EQ(fs::read_symlink(to_ + "/build/link"), "bin/app");
  EXPECT_EQ(fs::read_symlink(to_ + "/build/dangling"), "/nowhere/at all");
  EXPECT_EQ(StatOf(to_ + "/build/readme").st_mtim.tv_sec, 1'000'000'000);
  EXPECT_EQ(StatOf(to_ + "/build/readme").st_mtim.tv_nsec, 123'456'789);
  EXPECT_EQ(StatOf(to_ + "/build/link").st_mtim.tv_nsec, 5);
  EXPECT_EQ(StatOf(to_ + "/build/bin").st_mtim.tv_nsec, 7);
  EXPECT_FALSE(fs::exists(to_ + "/other"));
}

TEST_F(ArchiveTest, NamesTheSameFilesTheSame) {
  WriteFile(from_ + "/b", "2");
  WriteFile(from_ + "/a", "1");
  SetTime(from_ + "/a", 5, 0);
  SetTime(from_ + "/b", 6, 0);
  const model::Artifact first = MustPack({"a", "b"});
  EXPECT_EQ(MustPack({"b", "a", "*"}).manifest, first.manifest);
  SetTime(from_ + "/a", 7, 0);
  EXPECT_NE(MustPack({"a", "b"}).manifest, first.manifest);
}

TEST_F(ArchiveTest, SplitsLargeFilesAndSharesChunksAmongSmallOnes) {
  const std::string large = Noise((9U << 20) + 17);
  WriteFile(from_ + "/large", large);
  for (int i = 0; i < 300; ++i) {
    WriteFile(from_ + "/small/" + std::to_string(i), "content " + std::to_string(i));
  }
  const model::Artifact artifact = MustPack({"**"});
  const auto manifest = GetManifest(*store_, artifact.manifest);
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->chunks.size(), 4u);
  ASSERT_TRUE(Unpack(artifact).ok());
  EXPECT_EQ(ReadFile(to_ + "/large"), large);
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(ReadFile(to_ + "/small/" + std::to_string(i)), "content " + std::to_string(i));
  }
}

TEST_F(ArchiveTest, SaysWhichPathMatchesNothing) {
  WriteFile(from_ + "/a", "1");
  fs::create_directory(from_ + "/hollow");
  for (const char* missing : {"b", "*.o", "x/y", "a/b", "hollow"}) {
    const base::Status status = Pack({"a", missing}).status();
    EXPECT_FALSE(status.ok()) << missing;
    EXPECT_THAT(std::string(base::Message(status)), HasSubstr(missing[0] == 'a' ? "'a'" : missing));
  }
  EXPECT_EQ(Pack({"b"}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Pack({"../from/a"}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Pack({from_ + "/a"}).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ArchiveTest, LeavesOutWhatIsExcludedAndTheRepository) {
  WriteFile(from_ + "/.git/HEAD", "ref");
  WriteFile(from_ + "/a/keep.c", "1");
  WriteFile(from_ + "/a/drop.o", "2");
  ASSERT_TRUE(Unpack(MustPack({".", "!**/*.o"})).ok());
  EXPECT_TRUE(fs::exists(to_ + "/a/keep.c"));
  EXPECT_FALSE(fs::exists(to_ + "/a/drop.o"));
  EXPECT_FALSE(fs::exists(to_ + "/.git"));
  ASSERT_TRUE(Unpack(MustPack({".git"})).ok());
  EXPECT_TRUE(fs::exists(to_ + "/.git/HEAD"));
}

TEST_F(ArchiveTest, RefusesPipesAndSocketsByName) {
  WriteFile(from_ + "/d/a", "1");
  ASSERT_EQ(mkfifo((from_ + "/d/pipe").c_str(), 0600), 0);
  base::Status status = Pack({"d"}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(base::Message(status)), HasSubstr("'d/pipe' is a pipe"));
  EXPECT_TRUE(Pack({"d", "!d/pipe"}).ok());
}

TEST_F(ArchiveTest, DoesNotReadThroughALink) {
  WriteFile(folder_ + "/outside/secret", "s");
  fs::create_symlink(folder_ + "/outside", from_ + "/link");
  EXPECT_EQ(Pack({"link/secret"}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MustPack({"link"}).files, 1u) << "the link itself";
  EXPECT_EQ(Pack({"link/*"}).status().code(), StatusCode::kNotFound);
}

TEST_F(ArchiveTest, ReplacesFilesAndMergesFolders) {
  WriteFile(from_ + "/d/a", "new");
  WriteFile(to_ + "/d/a", "old and longer");
  WriteFile(to_ + "/d/stays", "1");
  WriteFile(folder_ + "/outside", "untouched");
  fs::create_symlink(folder_ + "/outside", to_ + "/d/b");
  WriteFile(from_ + "/d/b", "b");
  ASSERT_TRUE(Unpack(MustPack({"d"})).ok());
  EXPECT_EQ(ReadFile(to_ + "/d/a"), "new");
  EXPECT_EQ(ReadFile(to_ + "/d/b"), "b");
  EXPECT_EQ(ReadFile(to_ + "/d/stays"), "1");
  EXPECT_EQ(ReadFile(folder_ + "/outside"), "untouched");
}

TEST_F(ArchiveTest, NeverWritesThroughALinkInTheWorkspace) {
  fs::create_directory(folder_ + "/outside");
  for (const std::string& target : {folder_ + "/outside", std::string("../outside")}) {
    WriteFile(from_ + "/d/a", "x");
    const model::Artifact artifact = MustPack({"d/a"});
    fs::create_symlink(target, to_ + "/d");
    const base::Status status = Unpack(artifact);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(fs::is_empty(folder_ + "/outside"));
    fs::remove(to_ + "/d");
  }
}

TEST_F(ArchiveTest, NeverWritesThroughALinkOfItsOwn) {
  const auto chunk = store_->Put("evil");
  Manifest manifest;
  manifest.chunks = {{.digest = *chunk, .size = 4}};
  manifest.entries = {{.path = "d", .kind = FileKind::kLink, .mode = 0777, .target = folder_},
                      {.path = "d/evil",
                       .kind = FileKind::kFile,
                       .mode = 0644,
                       .size = 4,
                       .pieces = {{.chunk = 0, .offset = 0, .length = 4}}}};
  EXPECT_EQ(Unpack(FromManifest(manifest)).code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(fs::exists(folder_ + "/evil"));
}

TEST_F(ArchiveTest, SaysWhatTheStoreHasLost) {
  WriteFile(from_ + "/a", "text");
  const model::Artifact artifact = MustPack({"a"});
  const base::Digest chunk = GetManifest(*store_, artifact.manifest)->chunks[0].digest;
  WriteFile(ChunkPath(chunk), "tex!");
  EXPECT_EQ(Unpack(artifact).code(), StatusCode::kDataLoss);
  fs::remove(ChunkPath(chunk));
  EXPECT_EQ(Unpack(artifact).code(), StatusCode::kNotFound);
}

TEST_F(ArchiveTest, StopsWhenAsked) {
  WriteFile(from_ + "/a", "text");
  std::stop_source stop;
  stop.request_stop();
  const auto packed =
      archive_.Pack({.root = from_, .name = "it", .paths = {"a"}}, stop.get_token());
  EXPECT_EQ(packed.status().code(), StatusCode::kCancelled);
}

TEST_F(ArchiveTest, HashesFilesInTheOrderOfTheirPaths) {
  WriteFile(from_ + "/lock/b", "two");
  WriteFile(from_ + "/lock/a", "one");
  const auto hash = archive_.HashFiles(from_, {"lock/*"});
  ASSERT_TRUE(hash.ok());
  const auto raw = [](const base::Digest& d) {
    return std::string(d.bytes.begin(), d.bytes.end());
  };
  EXPECT_EQ(*hash, base::ToHex(base::Sha256(raw(base::Sha256("one")) + raw(base::Sha256("two")))));
  SetTime(from_ + "/lock/a", 1, 1);
  EXPECT_EQ(*archive_.HashFiles(from_, {"lock"}), *hash);
  EXPECT_EQ(*archive_.HashFiles(from_, {"none/**"}), "");
}

TEST_F(ArchiveTest, ATreeIsMoreThanItsContents) {
  WriteFile(from_ + "/src/a", "one");
  WriteFile(from_ + "/src/b", "two");
  fs::create_symlink("a", from_ + "/src/link");
  const auto hash = [&] { return *archive_.HashTree(from_, {"src"}); };
  const std::string before = hash();
  EXPECT_EQ(before.size(), 64U);
  SetTime(from_ + "/src/a", 1, 1);
  EXPECT_EQ(hash(), before);
  fs::rename(from_ + "/src/b", from_ + "/src/c");
  EXPECT_NE(hash(), before);
  fs::rename(from_ + "/src/c", from_ + "/src/b");
  EXPECT_EQ(hash(), before);
  fs::permissions(from_ + "/src/a", fs::perms::owner_all);
  EXPECT_NE(hash(), before);
  fs::permissions(from_ + "/src/a", fs::perms::owner_read | fs::perms::owner_write);
  fs::remove(from_ + "/src/link");
  fs::create_symlink("b", from_ + "/src/link");
  EXPECT_NE(hash(), before);
  EXPECT_EQ(*archive_.HashTree(from_, {"none/**"}), "");
}

// ---- whole or not at all

TEST_F(ArchiveTest, UnpacksWholeIntoFoldersThatAreThere) {
  WriteFile(from_ + "/deps/new/a", "a");
  WriteFile(from_ + "/deps/old/b", "new b");
  WriteFile(from_ + "/deps/old/c", "c");
  fs::create_symlink("a", from_ + "/deps/new/link");
  fs::permissions(from_ + "/deps/new", fs::perms::owner_read | fs::perms::owner_exec);
  WriteFile(to_ + "/deps/old/b", "old b");
  WriteFile(to_ + "/deps/old/kept", "kept");
  const model::Artifact artifact = MustPack({"deps"});
  std::atomic<std::uint64_t> moved = 0;
  ASSERT_EQ(archive_.UnpackWhole(artifact, to_, {{}, &moved}), base::OkStatus());
  EXPECT_EQ(ReadFile(to_ + "/deps/new/a"), "a");
  EXPECT_EQ(ReadFile(to_ + "/deps/old/b"), "new b");
  EXPECT_EQ(ReadFile(to_ + "/deps/old/c"), "c");
  EXPECT_EQ(ReadFile(to_ + "/deps/old/kept"), "kept");
  EXPECT_TRUE(fs::is_symlink(to_ + "/deps/new/link"));
  EXPECT_EQ(fs::status(to_ + "/deps/new").permissions(),
            fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(moved, artifact.bytes);
  EXPECT_EQ(std::distance(fs::directory_iterator(to_), {}), 1);  // nothing beside it is left
  fs::permissions(from_ + "/deps/new", fs::perms::owner_all);
  fs::permissions(to_ + "/deps/new", fs::perms::owner_all);
}

TEST_F(ArchiveTest, LeavesTheWorkspaceAloneWhenAChunkIsBroken) {
  WriteFile(from_ + "/deps/a", Noise(5 << 20));
  WriteFile(from_ + "/deps/b", "b");
  WriteFile(to_ + "/deps/b", "old");
  const model::Artifact artifact = MustPack({"deps"});
  const auto chunks = ListChunks(*store_, artifact.manifest);
  ASSERT_TRUE(chunks.ok());
  for (const base::Digest& chunk : *chunks) {
    WriteFile(ChunkPath(chunk), "broken");
  }
  EXPECT_EQ(archive_.UnpackWhole(artifact, to_, {}).code(), StatusCode::kDataLoss);
  EXPECT_EQ(ReadFile(to_ + "/deps/b"), "old");
  EXPECT_EQ(std::distance(fs::recursive_directory_iterator(to_), {}), 2);
}

TEST_F(ArchiveTest, UnpacksNothingThroughALink) {
  WriteFile(from_ + "/a", "a");
  WriteFile(from_ + "/deps/x/b", "b");
  const model::Artifact artifact = MustPack({"a", "deps"});
  fs::create_directories(folder_ + "/outside");
  fs::create_directories(to_ + "/deps");
  fs::create_symlink(folder_ + "/outside", to_ + "/deps/x");
  EXPECT_EQ(archive_.UnpackWhole(artifact, to_, {}).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(fs::is_empty(folder_ + "/outside"));
  EXPECT_FALSE(fs::exists(to_ + "/a"));
}

// ---- reading

TEST_F(ArchiveTest, HandsOutFilesAndNamesWhatMatchesNothing) {
  WriteFile(from_ + "/out/a.xml", "a");
  WriteFile(from_ + "/out/b.xml", "too long");
  fs::create_symlink("/etc/hostname", from_ + "/out/c.xml");
  std::vector<std::string> seen;
  const auto unmatched = archive_.ReadFiles(
      from_, {"out/*.xml", "*.none"}, 4, {}, [&](const std::string& path, auto content) {
        seen.push_back(path + ": " +
                       (content.ok() ? *content : std::string(base::Message(content.status()))));
      });
  ASSERT_TRUE(unmatched.ok()) << unmatched.status();
  EXPECT_EQ(*unmatched, "*.none");
  EXPECT_THAT(seen,
              ::testing::ElementsAre("out/a.xml: a", "out/b.xml: has 8 bytes; the most are 4"));
}

}  // namespace
}  // namespace store::artifacts
