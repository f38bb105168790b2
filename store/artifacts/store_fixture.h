// SPDX-License-Identifier: Apache-2.0
// For tests: a folder of their own with a chunk store in it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>

#include <gtest/gtest.h>

#include "store/artifacts/local_store.h"

namespace store::artifacts {

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "dayfly-artifacts-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    auto store = LocalStore::Open(folder_ + "/chunks");
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  ~StoreTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  static void WriteFile(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  std::string ChunkPath(const engine::base::Digest& digest) const {
    const std::string name = engine::base::ToHex(digest);
    return folder_ + "/chunks/" + name.substr(0, 2) + "/" + name;
  }

  std::string folder_;
  std::unique_ptr<LocalStore> store_;
};

}  // namespace store::artifacts
