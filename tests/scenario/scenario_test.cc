// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/scenario/play.h"
#include "tests/support/golden.h"

namespace tests::scenario {
namespace {

std::vector<std::string> Scenarios() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(DAYFLY_SOURCE_DIR "/tests/scenario")) {
    if (entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Scenario : public ::testing::TestWithParam<std::string> {};

TEST_P(Scenario, PlaysAsWritten) {
  const std::string path =
      std::string(DAYFLY_SOURCE_DIR) + "/tests/scenario/" + GetParam() + ".txt";
  const std::string played = Play(support::ReadFile(path));
  EXPECT_EQ(played.find("\nerror: "), std::string::npos) << played;
  support::ExpectGolden(path, played);
}

INSTANTIATE_TEST_SUITE_P(Files, Scenario, ::testing::ValuesIn(Scenarios()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace tests::scenario
