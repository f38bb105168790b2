// SPDX-License-Identifier: Apache-2.0
// Caches and test results through a server, with the real program on all sides.
#include <csignal>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/real_server.h"

namespace tests::server {
namespace {

using ::testing::HasSubstr;

class ServerJobFiles : public RealServer {
 protected:
  void SetUp() override {
    RealServer::SetUp();
    Set("  default: ", "{}");
    StartServer();
  }

  static std::string Cached(const std::string& key, const std::string& more,
                            const std::string& step) {
    return fmt::format(
        "name: cached\njobs:\n  build:\n    checkout: false\n"
        "    cache: {{ key: {}, paths: [deps]{} }}\n    steps: ['{}']\n",
        key, more, step);
  }
};

constexpr char kFill[] =
    "test ! -e deps && mkdir deps && head -c 9000000 /dev/urandom > deps/big && cd deps && "
    "sha256sum big > sum";
constexpr char kCheck[] = "cd deps && sha256sum -c sum";

// The first agent has left for good before the second one comes.
TEST_F(ServerJobFiles, WhatOneAgentSavedAnotherRestores) {
  const auto first = Agent(Token(), "first");
  ExpectSuccess(*Submit(Cached("deps-1", "", kFill)));
  kill(first->pid(), SIGTERM);
  EXPECT_EQ(first->Wait(), 0) << Errors();
  const auto second = Agent(Token(), "second");
  ExpectSuccess(*Submit(Cached("deps-1", "", kCheck)));
  ExpectSuccess(*Submit(Cached("deps-2", ", restore_keys: [deps-]", kCheck)));
  ExpectSuccess(*Submit(Cached("other", "", "test ! -e deps")));
}

TEST_F(ServerJobFiles, WhatOneAgentCameToAnotherTakesOver) {
  const std::string pipeline =
      "name: reused\njobs:\n  source:\n    checkout: false\n"
      "    artifacts: { upload: [{ name: src, paths: [src] }] }\n"
      "    steps: ['mkdir src; echo a > src/a']\n"
      "  build:\n    checkout: false\n    needs: [{ job: source, artifacts: [src] }]\n"
      "    reuse: { inputs: [src] }\n"
      "    outputs: { made: '${{ steps.make.outputs.made }}' }\n"
      "    artifacts: { upload: [{ name: bin, paths: [out] }] }\n"
      "    steps:\n      - id: make\n        run: |\n"
      "          mkdir out; head -c 9000000 /dev/urandom > out/big\n"
      "          echo \"made=$(sha256sum out/big)\" >> $DAYFLY_OUTPUT\n"
      "  use:\n    checkout: false\n    needs: [{ job: build, artifacts: [bin] }]\n"
      "    steps: ['test \"$(sha256sum out/big)\" = \"${{ needs.build.outputs.made }}\"']\n";
  const auto first = Agent(Token(), "first");
  ExpectSuccess(*Submit(pipeline));
  kill(first->pid(), SIGTERM);
  EXPECT_EQ(first->Wait(), 0) << Errors();
  const auto second = Agent(Token(), "second");
  const std::string run = SubmitOnly(pipeline);
  EXPECT_EQ(Run({"watch", run, "--output", "plain"}).exit_code, 0) << Errors();
  EXPECT_THAT(Run({"show", run}).text, HasSubstr("result taken over from run "));
}

TEST_F(ServerJobFiles, AChunkThatIsGoneIsAMiss) {
  const auto agent = Agent(Token());
  ExpectSuccess(*Submit(Cached("k", "", kFill)));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(File("srv/artifacts"))) {
    const bool is_large = entry.is_regular_file() && entry.file_size() > 1'000'000;
    if (is_large) {
      std::filesystem::remove(entry.path());
    }
  }
  ExpectSuccess(*Submit(Cached("k", "", kFill)));
  ExpectSuccess(*Submit(Cached("k", "", kCheck)));
}

TEST_F(ServerJobFiles, ShowsWhatStepsSaidByLogCommands) {
  const auto agent = Agent(Token());
  const std::string run = SubmitOnly(
      "name: annotated\njobs:\n  lint:\n    checkout: false\n"
      "    steps:\n      - id: check\n        run: |\n"
      "          echo '::group::Sources'; echo a.js\n"
      "          echo '::error file=a.js,line=3::no semicolon'\n"
      "          echo '::endgroup::'; echo '::warning::old'; exit 1\n");
  const auto watched = Run({"watch", run, "--output", "plain"});
  EXPECT_THAT(watched.text, HasSubstr("lint |   error: no semicolon (a.js:3)\n"));
  EXPECT_THAT(watched.text, HasSubstr("      error: no semicolon (a.js:3)\n"));
  EXPECT_THAT(watched.text, ::testing::Not(HasSubstr("endgroup")));
  const auto shown = Run({"show", run});
  EXPECT_THAT(shown.text, HasSubstr("error: no semicolon (a.js:3)  lint, step check"));
  const auto all = Run({"show", run, "--annotations"});
  EXPECT_EQ(all.exit_code, 0) << Errors();
  EXPECT_THAT(all.text, HasSubstr("1 error, 1 warning"));
  EXPECT_THAT(all.text, HasSubstr("warning: old  step check"));
  EXPECT_THAT(Run({"logs", run}).text, HasSubstr("check | ▾ Sources\ncheck |   a.js\n"));
  EXPECT_THAT(Run({"logs", run, "lint", "--raw"}).text,
              HasSubstr("::error file=a.js,line=3::no semicolon\n::endgroup::\n"));
}

TEST_F(ServerJobFiles, ShowsTheResultsOfTests) {
  const auto agent = Agent(Token());
  const std::string run = SubmitOnly(
      "name: tested\njobs:\n  unit:\n    checkout: false\n"
      "    artifacts: { reports: { junit: [r.xml] } }\n"
      "    steps:\n      - |\n"
      "        echo \"<testsuite><testcase classname='Sum' name='Adds' time='1'/>\" > r.xml\n"
      "        echo \"<testcase classname='Sum' name='Carries'><failure message='boom'>\" >> "
      "r.xml\n"
      "        echo \"sum.cc:7: boom</failure></testcase></testsuite>\" >> r.xml\n"
      "        exit 1\n");
  const auto watched = Run({"watch", run, "--output", "plain"});
  EXPECT_THAT(watched.text, HasSubstr("1 of 2 tests failed: Sum.Carries"));
  const auto shown = Run({"show", run, "--tests"});
  EXPECT_EQ(shown.exit_code, 0) << Errors();
  EXPECT_THAT(shown.text, HasSubstr("2 tests, 1 failed"));
  EXPECT_THAT(shown.text, HasSubstr("Sum.Carries  sum.cc:7"));
}

}  // namespace
}  // namespace tests::server
