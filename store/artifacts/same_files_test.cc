// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/same_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/artifacts/archive.h"
#include "store/artifacts/store_fixture.h"

namespace store::artifacts {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace model = engine::model;
using ::testing::HasSubstr;

class SameFilesTest : public StoreTest {
 protected:
  using FilesByPath = std::vector<std::pair<std::string, std::string>>;

  model::Artifact Make(const std::string& name, const FilesByPath& files) {
    const std::string root = folder_ + "/from";
    fs::remove_all(root);
    for (const auto& [path, text] : files) {
      WriteFile(root + "/" + path, text);
    }
    Archive archive(*store_);
    auto artifact = archive.Pack({.root = root, .name = name, .paths = {"**"}}, {});
    EXPECT_TRUE(artifact.ok()) << artifact.status();
    return artifact.value_or(model::Artifact{});
  }
  base::Status Check(const std::vector<model::Artifact>& artifacts) {
    return CheckSameFiles(*store_, artifacts);
  }
};

TEST_F(SameFilesTest, DifferentPathsAreFine) {
  EXPECT_TRUE(Check({Make("bin", {{"a", "1"}}), Make("bin", {{"b", "2"}})}).ok());
}

TEST_F(SameFilesTest, ThePathWhereTheyDifferIsNamed) {
  const base::Status status =
      Check({Make("bin", {{"a", "1"}, {"same", "s"}}), Make("bin", {{"b", "2"}, {"same", "s"}}),
             Make("bin", {{"b", "3"}, {"same", "s"}})});
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(status.ToString(), HasSubstr("'b' is in 'bin' of several jobs"));
}

TEST_F(SameFilesTest, OtherNamesDoNotCount) {
  EXPECT_TRUE(Check({Make("bin", {{"a", "1"}}), Make("lib", {{"a", "2"}})}).ok());
}

TEST_F(SameFilesTest, AFileIsNoFolder) {
  EXPECT_FALSE(Check({Make("bin", {{"a", "1"}}), Make("bin", {{"a/b", "1"}})}).ok());
}

// Small files stand in one chunk with what is beside them, which differs.
TEST_F(SameFilesTest, ContentsCountAndNotHowTheyAreStored) {
  const std::string large(9 << 20, 'x');
  EXPECT_TRUE(Check({Make("bin", {{"a", "first"}, {"large", large}, {"same", "s"}}),
                     Make("bin", {{"b", "second"}, {"large", large}, {"same", "s"}})})
                  .ok());
  std::string other = large;
  other.back() = 'y';
  EXPECT_FALSE(Check({Make("bin", {{"large", large}}), Make("bin", {{"large", other}})}).ok());
}

TEST_F(SameFilesTest, AnArtifactIsLikeItself) {
  const model::Artifact artifact = Make("bin", {{"a", "1"}, {"empty", ""}});
  EXPECT_TRUE(Check({artifact, artifact}).ok());
}

TEST_F(SameFilesTest, WhatIsLostIsToldOf) {
  const model::Artifact artifact = Make("bin", {{"a", "1"}});
  fs::remove(ChunkPath(artifact.manifest));
  EXPECT_EQ(Check({artifact, Make("bin", {{"b", "1"}})}).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace store::artifacts
