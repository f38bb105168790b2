// SPDX-License-Identifier: Apache-2.0
// What `submit` says about the source of a run, and what becomes of a commit that is not there.
#include <cstdlib>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/server/real_server.h"

namespace tests::server {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kPipeline = "name: x\njobs: { j: { steps: ['cat file'] } }\n";

class SubmitSource : public RealServer {
 protected:
  void SetUp() override {
    RealServer::SetUp();
    Set("  default: ", "{ max: 1, slots: 1 }");
    StartServer();
    std::ofstream(File("make.sh"))
        << "set -e; export GIT_CONFIG_NOSYSTEM=1 HOME=$PWD\n"
           "git init -q --bare -b main origin.git; git init -q -b main work; cd work\n"
           "git config user.name a; git config user.email a@example.org\n"
           "git remote add origin ../origin.git; echo content > file\n"
           "cat > ci.yml <<'END'\n"
        << kPipeline << "END\ngit add .; git commit -q -m one; git push -q origin main\n";
    ASSERT_EQ(std::system(("cd " + folder_.path().string() + " && sh make.sh").c_str()), 0);
  }
  std::string Head() const { return TextOf(File("origin.git/refs/heads/main")).substr(0, 40); }
  /// HEAD of the working tree, as origin has it.
  support::Ended SubmitHere() const {
    support::Launch launch = Launch({"submit", "ci.yml", "--watch", "--output", "plain"}, "submit");
    launch.folder = File("work");
    return support::RunDayfly(launch);
  }
  void InWork(const std::string& command) const {
    ASSERT_EQ(std::system(("cd " + File("work") + " && " + command).c_str()), 0);
  }
  support::Ended SubmitIn(const std::string& repository, const std::string& commit) const {
    support::Launch launch = Launch({"submit", "ci.yml", "--watch", "--output", "plain", "--repo",
                                     "file://" + repository, "--commit", commit},
                                    "submit");
    launch.folder = File("work");
    return support::RunDayfly(launch);
  }
};

TEST_F(SubmitSource, AWorkerFetchesTheCommit) {
  const auto ended = SubmitIn(File("origin.git"), Head());
  EXPECT_EQ(ended.exit_code, 0) << ended.text << Errors();
  EXPECT_THAT(TextOf(File("submit.errors")), Not(HasSubstr("ci.yml")));
}

TEST_F(SubmitSource, HereIsHeadAsOriginHasIt) {
  InWork("git remote set-url origin file://" + File("origin.git"));
  // A server's folder in the tree is no change of it.
  ASSERT_EQ(Run({"server", "init", File("work/srv")}).exit_code, 0);
  const auto ended = SubmitHere();
  EXPECT_EQ(ended.exit_code, 0) << ended.text << Errors();
}

TEST_F(SubmitSource, WhatIsNotCommittedOrNotPushedIsRefused) {
  InWork("echo more > other");
  EXPECT_EQ(SubmitHere().exit_code, 2);
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("not committed (other)"));
  InWork("git add . && git commit -q -m two");
  EXPECT_EQ(SubmitHere().exit_code, 2);
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("is on no branch of origin: push it"));
}

TEST_F(SubmitSource, AnotherTextThanTheCommitsIsSaid) {
  std::ofstream(File("work/ci.yml"), std::ios::app) << "# more\n";
  const auto ended = SubmitIn(File("origin.git"), Head());
  EXPECT_EQ(ended.exit_code, 0) << ended.text << Errors();
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("ci.yml differs from the one in commit"));
}

TEST_F(SubmitSource, ACommitThatIsNotThereFailsTheJobAtOnce) {
  const auto ended = SubmitIn(File("origin.git"), std::string(40, 'a'));
  EXPECT_EQ(ended.exit_code, 1) << ended.text << Errors();
  EXPECT_THAT(ended.text, HasSubstr("does not exist in repository"));
  EXPECT_THAT(ended.text, Not(HasSubstr("tried again")));
}

TEST_F(SubmitSource, ARepositoryThatIsGoneFailsTheJobAtOnce) {
  const auto ended = SubmitIn(File("gone.git"), std::string(40, 'a'));
  EXPECT_EQ(ended.exit_code, 1) << ended.text << Errors();
  EXPECT_THAT(ended.text, HasSubstr("is not there"));
}

}  // namespace
}  // namespace tests::server
