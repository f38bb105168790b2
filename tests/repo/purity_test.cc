// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/purity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tests::repo {
namespace {

using ::testing::HasSubstr;

std::string Pure(std::string text) {
  return ToText(CheckPurity({{{"engine/core/x.cc", std::move(text)}}}));
}
std::string Anywhere(std::string path, std::string text) {
  return ToText(CheckBannedCalls({{{std::move(path), std::move(text)}}}));
}

struct Case {
  const char* name;
  const char* code;
};

std::string NameOf(const ::testing::TestParamInfo<Case>& test) {
  return test.param.name;
}

class Banned : public ::testing::TestWithParam<Case> {};

TEST_P(Banned, IsFoundInPureFoldersOnly) {
  const std::string code = GetParam().code;
  EXPECT_THAT(Pure(code), HasSubstr("is banned here")) << code;
  EXPECT_EQ(ToText(CheckPurity({{{"store/logs/x.cc", code}}})), "");
  EXPECT_EQ(Pure("// " + code), "");
}

INSTANTIATE_TEST_SUITE_P(
    Purity, Banned,
    ::testing::Values(Case{"clock", "auto t = std::chrono::steady_clock::now();"},
                      Case{"time", "auto t = time(nullptr);"},
                      Case{"random", "std::random_device device;"}, Case{"rand", "int x = rand();"},
                      Case{"thread", "#include <thread>"}, Case{"mutex", "std::mutex lock;"},
                      Case{"file", "std::ifstream in(path);"}, Case{"print", "printf(x);"},
                      Case{"log", "#include \"engine/base/log.h\""},
                      Case{"environment", "auto home = getenv(name);"},
                      Case{"exception", "throw x;"}),
    NameOf);

TEST(Purity, SeesWalksOverHashContainersButAllowsLookups) {
  const std::string declared = "std::unordered_map<int, int> jobs_;\n";
  EXPECT_EQ(Pure(declared + "auto at = jobs_.find(3);"), "");
  EXPECT_THAT(Pure(declared + "for (auto& [a, b] : jobs_) {"), HasSubstr("engine/core/x.cc:2"));
  EXPECT_THAT(Pure(declared + "auto first = jobs_.begin();"), HasSubstr("sorted vector"));
}

TEST(BannedCalls, NameTheReplacement) {
  EXPECT_THAT(Anywhere("apps/x.cc", "std::format(x);"), HasSubstr("fmt::format"));
  EXPECT_THAT(Anywhere("apps/x.cc", "waitpid(-1, &status, 0);"), HasSubstr("steals"));
  EXPECT_EQ(Anywhere("tests/x.cc", "waitpid(-1, &status, 0);"), "");
  EXPECT_THAT(Anywhere("apps/x.cc", "absl::string_view x;"), HasSubstr("std::string_view"));
  EXPECT_EQ(Anywhere("engine/base/status.cc", "absl::string_view x;"), "");
}

TEST(BannedCalls, KeepSleepsOutOfTests) {
  const std::string nap = "std::this_thread::sleep_for(x);";
  EXPECT_THAT(Anywhere("dsl/x_test.cc", nap), HasSubstr("wait for the thing itself"));
  EXPECT_THAT(Anywhere("tests/e2e/x.cc", "usleep(3);"), HasSubstr("`usleep(`"));
  EXPECT_EQ(Anywhere("store/x.cc", nap), "");
}

}  // namespace
}  // namespace tests::repo
