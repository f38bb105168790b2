// SPDX-License-Identifier: Apache-2.0
// The checks, over this repository. What each finds is tested beside it on small trees.
#include <iostream>

#include <gtest/gtest.h>

#include "tests/repo/build_files.h"
#include "tests/repo/form.h"
#include "tests/repo/layers.h"
#include "tests/repo/purity.h"
#include "tests/repo/words.h"

namespace tests::repo {
namespace {

class Repository : public ::testing::Test {
 protected:
  static const Tree& tree() {
    static const Tree tree = ReadTree(DAYFLY_SOURCE_DIR);
    return tree;
  }
  static std::string_view Document(std::string_view path) {
    const SourceFile* file = tree().Find(path);
    return file == nullptr ? std::string_view() : std::string_view(file->text);
  }
  static Layers layers() { return ParseLayers(Document("ARCHITECTURE.md")); }
};

TEST_F(Repository, IncludesOnlyWhatTheLayersAllow) {
  ASSERT_GE(layers().size(), 20U);
  EXPECT_EQ(ToText(CheckLayers(tree(), layers())), "");
  EXPECT_EQ(ToText(CheckCycles(layers())), "");
}

TEST_F(Repository, KeepsPureFoldersPure) {
  EXPECT_EQ(ToText(CheckPurity(tree())), "");
}

TEST_F(Repository, MakesNoBannedCall) {
  EXPECT_EQ(ToText(CheckBannedCalls(tree())), "");
}

TEST_F(Repository, UsesOneWordPerConcept) {
  const BannedWords banned = ParseGlossary(Document("GLOSSARY.md"));
  ASSERT_GE(banned.size(), 3U);
  EXPECT_EQ(ToText(CheckWords(tree(), banned)), "");
}

TEST_F(Repository, KeepsItsForm) {
  EXPECT_EQ(ToText(CheckLicenceLines(tree())), "");
  EXPECT_EQ(ToText(CheckTodos(tree())), "");
  EXPECT_EQ(ToText(CheckMachinePaths(tree())), "");
  EXPECT_EQ(ToText(CheckNames(tree())), "");
}

TEST_F(Repository, KeepsFilesShort) {
  Findings long_files;
  EXPECT_EQ(ToText(CheckLengths(tree(), &long_files)), "");
  if (!long_files.empty()) {
    std::cout << "longer than the guide value of 600 lines:\n" << ToText(long_files);
  }
}

TEST_F(Repository, HasNoDeadLinks) {
  EXPECT_EQ(ToText(CheckLinks(tree())), "");
}

TEST_F(Repository, BuildsEverySource) {
  EXPECT_EQ(ToText(CheckSourcesAreBuilt(tree())), "");
  EXPECT_EQ(ToText(CheckLibraryNames(tree())), "");
}

}  // namespace
}  // namespace tests::repo
