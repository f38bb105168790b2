// SPDX-License-Identifier: Apache-2.0
// What `dayfly run --secret` leaves on the disk and shows.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dayfly_process.h"
#include "tests/support/temp_folder.h"

namespace tests::secrets {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kValue = "open-sesame-24";
constexpr const char* kMasked = "hidden-by-a-step";

constexpr const char* kPipeline = R"yaml(
name: secrets
jobs:
  tell:
    steps:
      - run: |
          echo "plain $TOKEN"; printf '%s' "$TOKEN" | base64; echo "$TOKEN" >&2
          echo hidden-by-"a-step" >> "$DAYFLY_MASK"
        env: { TOKEN: "${{ secrets.TOKEN }}" }
      - run: echo hidden-by-"a-step"
      - run: echo "in the script ${{ secrets.TOKEN }}"
        shell: bash
  fail:
    steps:
      - run: ./no-such-program "$TOKEN"
        env: { TOKEN: "${{ secrets.TOKEN }}" }
)yaml";

class SecretsTest : public ::testing::Test {
 protected:
  support::Ended Dayfly(std::vector<std::string> arguments) const {
    return support::RunDayfly({.arguments = std::move(arguments),
                               .env = {"DAYFLY_HOME=" + folder_.File("home"),
                                       "HOME=" + folder_.path().string(), "PATH=/usr/bin:/bin"},
                               .folder = folder_.File("source"),
                               .errors = folder_.File("errors")});
  }
  static std::string ReadFile(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  support::TempFolder folder_;
};

TEST_F(SecretsTest, NoFileOfTheRunHoldsAValue) {
  fs::create_directory(folder_.File("source"));
  std::ofstream(folder_.File("source/secrets.yml")) << kPipeline;
  std::ofstream(folder_.File("token")) << kValue << "\n";
  const support::Ended run = Dayfly(
      {"run", "secrets.yml", "--secret", "TOKEN=@" + folder_.File("token"), "--output", "json"});
  EXPECT_EQ(run.exit_code, 1) << run.text << ReadFile(folder_.File("errors"));
  EXPECT_THAT(run.text, Not(HasSubstr(kValue)));

  const support::Ended logs = Dayfly({"logs", "latest", "tell", "--raw"});
  EXPECT_EQ(logs.text, "plain ***\n***\n***\n***\nin the script ***\n");

  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_.File("home"))) {
    if (entry.is_regular_file()) {
      ++files;
      EXPECT_THAT(ReadFile(entry.path()), Not(HasSubstr(kValue))) << entry.path();
      EXPECT_THAT(ReadFile(entry.path()), Not(HasSubstr(kMasked))) << entry.path();
    }
  }
  EXPECT_GT(files, 3u);
}

}  // namespace
}  // namespace tests::secrets
