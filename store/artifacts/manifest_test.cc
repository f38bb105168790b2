// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/manifest.h"

#include <gtest/gtest.h>

#include "store/artifacts/store_fixture.h"

namespace store::artifacts {
namespace {

namespace base = engine::base;

Manifest Sample() {
  Manifest manifest;
  manifest.chunks = {{.digest = base::Sha256("a"), .size = 10},
                     {.digest = base::Sha256("b"), .size = 4 << 20}};
  manifest.entries = {
      {.path = "a", .kind = FileKind::kFolder, .mode = 0755, .mtime_ns = -5},
      {.path = "a/empty", .kind = FileKind::kFile, .mode = 0644, .mtime_ns = 1},
      {.path = "a/file",
       .kind = FileKind::kFile,
       .mode = 0600,
       .mtime_ns = 1'700'000'000'123'456'789,
       .size = 107,
       .pieces = {{.chunk = 0, .offset = 3, .length = 7},
                  {.chunk = 1, .offset = 0, .length = 100}}},
      {.path = "z", .kind = FileKind::kLink, .mode = 0777, .mtime_ns = 9, .target = "../../x"},
  };
  return manifest;
}

TEST(Manifest, ComesBackAsItWas) {
  const auto decoded = DecodeManifest(EncodeManifest(Sample()));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, Sample());
}

TEST(Manifest, RefusesWhatItWouldNotWrite) {
  const struct {
    const char* name;
    void (*spoil)(Manifest&);
  } cases[] = {
      {"leaves", [](Manifest& m) { m.entries[2].path = "a/../../b"; }},
      {"absolute", [](Manifest& m) { m.entries[3].path = "/z"; }},
      {"dot", [](Manifest& m) { m.entries[1].path = "a/./b"; }},
      {"empty part", [](Manifest& m) { m.entries[1].path = "a//b"; }},
      {"NUL", [](Manifest& m) { m.entries[3].path = std::string("z\0x", 3); }},
      {"no path", [](Manifest& m) { m.entries[0].path = ""; }},
      {"twice", [](Manifest& m) { m.entries[3].path = "a/file"; }},
      {"out of order", [](Manifest& m) { m.entries[3].path = "Z"; }},
      {"piece beyond its chunk", [](Manifest& m) { m.entries[2].pieces[0].offset = 4; }},
      {"offset that wraps", [](Manifest& m) { m.entries[2].pieces[0].offset = ~0ULL; }},
      {"no such chunk", [](Manifest& m) { m.entries[2].pieces[0].chunk = 2; }},
      {"sizes do not add up", [](Manifest& m) { m.entries[2].size = 106; }},
      {"set-user-id", [](Manifest& m) { m.entries[2].mode = 04755; }},
      {"chunk too large", [](Manifest& m) { m.chunks[0].size = (4 << 20) + 1; }},
  };
  for (const auto& each : cases) {
    Manifest manifest = Sample();
    each.spoil(manifest);
    EXPECT_FALSE(DecodeManifest(EncodeManifest(manifest)).ok()) << each.name;
  }
}

TEST(Manifest, SurvivesEveryCutAndEveryChangedByte) {
  const std::string good = EncodeManifest(Sample());
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(DecodeManifest(good.substr(0, i)).ok()) << i;
    for (const int bits : {1, 0x80, 0xff}) {
      std::string changed = good;
      changed[i] = static_cast<char>(changed[i] ^ bits);
      const auto decoded = DecodeManifest(changed);  // must not crash; may be another manifest
      if (decoded.ok()) {
        EXPECT_EQ(EncodeManifest(*decoded), changed) << i;
      }
    }
  }
  EXPECT_FALSE(DecodeManifest(good + "x").ok());
}

class StoredManifest : public StoreTest {};

TEST_F(StoredManifest, IsCutIntoPartsWhenItIsLarge) {
  Manifest large;
  for (int i = 0; i < 3000; ++i) {
    large.entries.push_back({.path = std::to_string(100'000 + i) + std::string(2000, 'x'),
                             .kind = FileKind::kFolder,
                             .mode = 0755});
  }
  const auto root = PutManifest(*store_, large);
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_LT(store_->Get(*root)->size(), 200u);
  const auto back = GetManifest(*store_, *root);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, large);
  EXPECT_EQ(ListChunks(*store_, *root)->size(), 2u);  // the parts; folders have no chunks
}

TEST_F(StoredManifest, ListsTheChunksOfItsFiles) {
  const base::Digest chunk = *store_->Put("content");
  Manifest manifest{.chunks = {{.digest = chunk, .size = 7}}};
  manifest.entries.push_back({.path = "a", .mode = 0644, .size = 7, .pieces = {{0, 0, 7}}});
  const auto root = PutManifest(*store_, manifest);
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(*ListChunks(*store_, *root), std::vector<base::Digest>{chunk});
}

TEST_F(StoredManifest, IsNotMistakenForAnyChunk) {
  const auto digest = store_->Put("some other bytes");
  EXPECT_EQ(GetManifest(*store_, *digest).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace store::artifacts
