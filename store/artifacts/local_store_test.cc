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

}  // namespace
}  // namespace store::artifacts
