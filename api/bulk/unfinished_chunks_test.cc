// SPDX-License-Identifier: Apache-2.0
#include "api/bulk/unfinished_chunks.h"

#include <gtest/gtest.h>

namespace api::bulk {
namespace {

UnfinishedChunks::Key Key(std::uint64_t worker, const char* chunk) {
  return {engine::model::WorkerId(worker), engine::base::Sha256(chunk)};
}

TEST(UnfinishedChunks, AreTakenOnce) {
  UnfinishedChunks chunks(100);
  chunks.Keep(Key(1, "a"), "begin");
  EXPECT_EQ(chunks.Received(Key(1, "a")), 5u);
  EXPECT_EQ(chunks.Received(Key(2, "a")), 0u);
  EXPECT_EQ(chunks.Take(Key(1, "a")), "begin");
  EXPECT_EQ(chunks.Take(Key(1, "a")), "");
}

TEST(UnfinishedChunks, ForgetTheOldestWhenTheyAreTooMuch) {
  UnfinishedChunks chunks(10);
  chunks.Keep(Key(1, "a"), "12345");
  chunks.Keep(Key(1, "b"), "12345");
  chunks.Keep(Key(1, "a"), "1234");
  chunks.Keep(Key(1, "c"), "12");
  EXPECT_EQ(chunks.Received(Key(1, "b")), 0u);
  EXPECT_EQ(chunks.Received(Key(1, "a")), 4u);
  EXPECT_EQ(chunks.Received(Key(1, "c")), 2u);
  chunks.Keep(Key(1, "d"), "12345678901");
  EXPECT_EQ(chunks.Received(Key(1, "d")), 0u);
}

}  // namespace
}  // namespace api::bulk
