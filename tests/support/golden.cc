// SPDX-License-Identifier: Apache-2.0
#include "tests/support/golden.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace tests::support {

bool RewriteRequested() {
  std::ifstream arguments("/proc/self/cmdline", std::ios::binary);
  std::string argument;
  while (std::getline(arguments, argument, '\0')) {
    if (argument == "--rewrite") {
      return true;
    }
  }
  return false;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void ExpectGolden(const std::string& path, std::string_view text) {
  if (RewriteRequested()) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    ASSERT_TRUE(file.good()) << "cannot write " << path;
    return;
  }
  EXPECT_EQ(ReadFile(path), text) << path << " differs; look, then run with --rewrite";
}

}  // namespace tests::support
