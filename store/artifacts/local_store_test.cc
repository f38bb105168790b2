// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/local_store.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/artifacts/store_fixture.h"

namespace store::artifacts {
namespace {

namespace base = engine::base;
using absl::StatusCode;
using ::testing::HasSubstr;

class LocalStoreTest : public StoreTest {};

TEST_F(LocalStoreTest, KeepsChunksUnderTheirDigest) {
  const auto digest = store_->Put("hello");
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(*digest, base::Sha256("hello"));
  EXPECT_EQ(ReadFile(ChunkPath(*digest)), "hello");
  EXPECT_EQ(*store_->Get(*digest), "hello");
  EXPECT_TRUE(*store_->Has(*digest));
  EXPECT_EQ(*store_->Put("hello"), *digest);
}

TEST_F(LocalStoreTest, KnowsWhatItDoesNotHave) {
  EXPECT_EQ(store_->Get(base::Sha256("x")).status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(*store_->Has(base::Sha256("x")));
}

TEST_F(LocalStoreTest, KeepsTheEmptyChunkAndRefusesAHugeOne) {
  const auto empty = store_->Put("");
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(*store_->Get(*empty), "");
  const std::string huge(engine::ports::kChunkBytesMax + 1, 'x');
  EXPECT_EQ(store_->Put(huge).status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(store_->Put(huge.substr(1)).ok());
}

TEST_F(LocalStoreTest, FindsDamage) {
  const auto digest = store_->Put("hello");
  WriteFile(ChunkPath(*digest), "hellO");
  EXPECT_EQ(store_->Get(*digest).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(store_->Get(*digest).status().code(), StatusCode::kNotFound) << "it was removed";
  WriteFile(ChunkPath(*digest), "hell");
  EXPECT_EQ(store_->Get(*digest).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(*store_->Put("hello"), *digest) << "a chunk of another size is written again";
  EXPECT_EQ(*store_->Get(*digest), "hello");
}

TEST_F(LocalStoreTest, TakesTheSameChunksFromManyThreads) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(store_->Put("chunk " + std::to_string(i)).ok());
      }
    });
  }
  threads.clear();
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(store_->Get(base::Sha256("chunk " + std::to_string(i))).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/chunks/tmp"));
}

TEST_F(LocalStoreTest, RemovesWhatDeadWritersLeft) {
  const pid_t dead = fork();
  if (dead == 0) {
    _exit(0);
  }
  waitpid(dead, nullptr, 0);
  const std::string theirs = folder_ + "/chunks/tmp/" + std::to_string(dead) + "-1";
  const std::string ours = folder_ + "/chunks/tmp/" + std::to_string(getpid()) + "-1000";
  WriteFile(theirs, "half");
  WriteFile(ours, "half");
  ASSERT_TRUE(LocalStore::Open(folder_ + "/chunks").ok());
  EXPECT_FALSE(std::filesystem::exists(theirs));
  EXPECT_TRUE(std::filesystem::exists(ours));
}

TEST_F(LocalStoreTest, SaysWhereItCouldNotWrite) {
  std::filesystem::remove_all(folder_ + "/chunks/tmp");
  const base::Status status = store_->Put("x").status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(base::Message(status)), HasSubstr("/chunks/tmp/"));
}

// In a child with mounts of its own: 0 as it should be, 1 not, 2 mounting is refused here.
int FillATinyDisk(const std::string& folder) {
  if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    return 2;
  }
  if (mount("none", folder.c_str(), "tmpfs", 0, "size=64k") != 0) {
    return 2;
  }
  auto tiny = LocalStore::Open(folder + "/chunks");
  const base::Status status = (*tiny)->Put(std::string(1 << 20, 'x')).status();
  const bool clean = std::filesystem::is_empty(folder + "/chunks/tmp");
  return status.code() == StatusCode::kResourceExhausted && clean && (*tiny)->Put("small").ok() ? 0
                                                                                                : 1;
}

TEST_F(LocalStoreTest, SaysThatTheDiskIsFullAndLeavesNothingBehind) {
  const std::string disk = folder_ + "/disk";
  std::filesystem::create_directory(disk);
  const pid_t child = fork();
  if (child == 0) {
    _exit(FillATinyDisk(disk));
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WEXITSTATUS(status) == 2) {
    GTEST_SKIP() << "mounting is refused here";
  }
  EXPECT_EQ(status, 0);
}

// ---- sweeping

class SweepTest : public LocalStoreTest {
 protected:
  base::Digest PutAt(std::string_view text, base::Instant at) {
    const base::Digest digest = *store_->Put(text);
    const std::int64_t micros = base::ToMicros(at);
    const timespec time{.tv_sec = micros / 1'000'000, .tv_nsec = micros % 1'000'000 * 1000};
    const timespec times[2] = {time, time};
    EXPECT_EQ(utimensat(AT_FDCWD, ChunkPath(digest).c_str(), times, 0), 0);
    return digest;
  }
  bool IsThere(const base::Digest& digest) const {
    return std::filesystem::exists(ChunkPath(digest));
  }
  const base::Instant long_ago_ = base::InstantFromMicros(1'000'000'000'000'000);
};

TEST_F(SweepTest, RemovesWhatNobodyRefersToAndNobodyReliedOnForAWhile) {
  const base::Digest wanted = PutAt("wanted", long_ago_);
  const base::Digest unwanted = PutAt("unwanted", long_ago_);
  const base::Digest young = PutAt("young", long_ago_ + std::chrono::hours(2));
  const auto swept = store_->Sweep({wanted}, long_ago_ + std::chrono::hours(1));
  ASSERT_TRUE(swept.ok()) << swept.status();
  EXPECT_EQ(swept->removed, 1U);
  EXPECT_EQ(swept->removed_bytes, 8U);
  EXPECT_EQ(swept->kept, 2U);
  EXPECT_TRUE(IsThere(wanted));
  EXPECT_FALSE(IsThere(unwanted));
  EXPECT_TRUE(IsThere(young));
}

TEST_F(SweepTest, SparesAnOldChunkThatSomebodyFoundAgain) {
  const base::Digest put = PutAt("put again", long_ago_);
  const base::Digest has = PutAt("asked for", long_ago_);
  const base::Digest read = PutAt("only read", long_ago_);
  ASSERT_TRUE(store_->Put("put again").ok());
  ASSERT_TRUE(*store_->Has(has));
  ASSERT_TRUE(store_->Get(read).ok());
  ASSERT_TRUE(store_->Sweep({}, long_ago_ + std::chrono::hours(1)).ok());
  EXPECT_TRUE(IsThere(put));
  EXPECT_TRUE(IsThere(has));
  EXPECT_FALSE(IsThere(read));
}

TEST_F(SweepTest, NeverTakesAChunkFromWhoeverIsJustStoringIt) {
  std::jthread sweeper([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      EXPECT_TRUE(store_->Sweep({}, long_ago_ + std::chrono::hours(1)).ok());
    }
  });
  for (int i = 0; i < 300; ++i) {
    const std::string text = "chunk " + std::to_string(i % 3);
    const base::Digest digest = *store_->Put(text);
    EXPECT_EQ(store_->Get(digest).value_or("lost"), text);
    const timespec old{.tv_sec = 1, .tv_nsec = 0};
    const timespec times[2] = {old, old};
    utimensat(AT_FDCWD, ChunkPath(digest).c_str(), times, 0);  // whether or not it is there still
  }
}

}  // namespace
}  // namespace store::artifacts
