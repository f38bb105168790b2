// SPDX-License-Identifier: Apache-2.0
// What `submit` says about the source of a run, and what becomes of a commit that is not there.
#include <cstdlib>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "api/client/run_client.h"
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
    // Files bear the commit's time, but are always older than now.
    std::ofstream(File("make.sh"))
        << "set -e; export GIT_CONFIG_NOSYSTEM=1 HOME=$PWD\n"
           "export GIT_COMMITTER_DATE=2020-01-01T00:00:00Z\n"
           "git init -q --bare -b main origin.git; git init -q -b main work; cd work\n"
           "git config user.name a; git config user.email a@example.org\n"
           "git remote add origin ../origin.git; echo content > file\n"
           "cat > ci.yml <<'END'\n"
        << kPipeline << "END\ngit add .; git commit -q -m one; git push -q origin main\n";
    ASSERT_EQ(std::system(("cd " + folder_.path().string() + " && sh make.sh").c_str()), 0);
  }
  std::string Head() const { return TextOf(File("origin.git/refs/heads/main")).substr(0, 40); }
  /// HEAD of the working tree, as origin has it; or what `more` says.
  support::Ended SubmitHere(const std::vector<std::string>& more = {},
                            const std::string& folder = "work") const {
    std::vector<std::string> arguments = {"submit", "ci.yml", "--watch", "--output", "plain"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    support::Launch launch = Launch(std::move(arguments), "submit");
    launch.folder = File(folder);
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

// Its texts go along: the server reads no file, and asks no other repository.
TEST_F(SubmitSource, WhatAPipelineIncludesComesWithIt) {
  InWork(
      "git init -q -b main ../shared && cd ../shared && echo 'include: base.yml' > jobs.yml && "
      "echo 'templates: { base: { checkout: false } }' > base.yml && git add . && "
      "git -c user.name=a -c user.email=a@example.org commit -q -m one");
  InWork("mkdir parts && echo 'env: { WORD: here }' > parts/env.yml");
  std::ofstream(File("work/ci.yml"))
      << "name: x\ninclude: [parts/env.yml, { repo: 'file://" << File("shared")
      << "', ref: main, file: jobs.yml }]\n"
         "jobs: { j: { extends: base, steps: ['test $WORD = here'] } }\n";
  const auto ended = SubmitHere({"--upload"});
  EXPECT_EQ(ended.exit_code, 0) << ended.text << Errors();

  std::ofstream(File("work/ci.yml")) << "name: x\ninclude: [parts/none.yml]\n"
                                        "jobs: { j: { steps: ['true'] } }\n";
  const auto refused = SubmitHere({"--upload"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("ci.yml:2:11: error[missing-file]"));
}

// `origin` is ../origin.git here, which git reads from the top of the working tree wherever it is
// started.
TEST_F(SubmitSource, ARelativeOriginIsAPathFromTheTop) {
  InWork(
      "git fetch -q && mkdir sub && cp ci.yml sub && cd sub && git fetch -q && git add . && "
      "git commit -q -m sub && git push -q origin main");
  for (const char* folder : {"work", "work/sub"}) {
    const auto ended = SubmitHere({}, folder);
    EXPECT_EQ(ended.exit_code, 0) << folder << ended.text << Errors();
  }
}

TEST_F(SubmitSource, WhatIsNotCommittedOrNotPushedIsRefused) {
  InWork("echo more > other");
  EXPECT_EQ(SubmitHere().exit_code, 2);
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("not committed (other)"));
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("--upload"));
  InWork("git add . && git commit -q -m two");
  EXPECT_EQ(SubmitHere().exit_code, 2);
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("is on no branch of origin: push it"));
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("--upload"));
}

TEST_F(SubmitSource, WithoutOriginItIsSaidWhatElseThereIs) {
  InWork("git remote remove origin");
  EXPECT_EQ(SubmitHere().exit_code, 2);
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("the remote `origin`"));
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("--upload"));
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

/// `--upload`: a working tree that no commit holds.
class SubmitUpload : public SubmitSource {
 protected:
  void SetUp() override {
    SubmitSource::SetUp();
    InWork(
        "printf 'ignored/\\n*.o\\n' > .gitignore; mkdir -p deep/er ignored .dayfly; "
        "echo changed > file; echo '#!/bin/sh' > deep/run.sh; chmod 755 deep/run.sh; "
        "ln -s ../../file deep/er/link; ln -s /etc/hostname outside; ln -s ../../up above; "
        "touch ignored/x a.o deep/b.o; echo hush > .dayfly/secrets; chmod 600 .dayfly/secrets; "
        "touch 'a name*with [signs]'; git add deep");
  }
  void Pipeline(const std::string& step) const {
    std::ofstream(File("work/ci.yml"))
        << "name: x\njobs:\n  j:\n    steps:\n      - |\n        " << step << "\n";
  }
};

TEST_F(SubmitUpload, SendsWhatGitWouldList) {
  Pipeline("find . ! -type d | sed 's,^./,,' | sort > " + File("seen"));
  const auto ended = SubmitHere({"--upload"});
  EXPECT_EQ(ended.exit_code, 0) << ended.text << Errors();
  InWork(
      "git ls-files -co --exclude-standard -z | tr '\\0' '\\n' | grep -v '^.dayfly/secrets$' | "
      "sort > ../listed");
  EXPECT_EQ(TextOf(File("seen")), TextOf(File("listed")));
  EXPECT_THAT(TextOf(File("seen")), HasSubstr("deep/er/link"));
  EXPECT_THAT(TextOf(File("submit.errors")), Not(HasSubstr("ci.yml"))) << "the text is the tree's";
}

TEST_F(SubmitUpload, KeepsContentsModesAndLinks) {
  Pipeline(
      "test \"$(cat file)\" = changed && test \"$(cat deep/er/link)\" = changed && "
      "test \"$(readlink outside)\" = /etc/hostname && test \"$(readlink above)\" = ../../up && "
      "test \"$(stat -c %a deep/run.sh file | xargs)\" = '755 644' && ! test -e .git");
  const auto ended = SubmitHere({"--upload"});
  EXPECT_EQ(ended.exit_code, 0) << ended.text << Errors();
  EXPECT_EQ(std::system(("test -e " + File("up")).c_str()) == 0, false);
}

TEST_F(SubmitUpload, NeedsNoRepository) {
  InWork("rm -rf .git .gitignore ignored");
  Pipeline("cat file");
  const auto ended = SubmitHere({"--upload"});
  EXPECT_EQ(ended.exit_code, 0) << ended.text << Errors();
  EXPECT_THAT(ended.text, HasSubstr("changed"));
}

TEST_F(SubmitUpload, TheSameTreeIsTheSameRequest) {
  Pipeline("cat file");
  const auto first = SubmitHere({"--upload", "--key", "k"});
  EXPECT_EQ(first.exit_code, 0) << first.text << Errors();
  InWork("touch file");
  EXPECT_EQ(SubmitHere({"--upload", "--key", "k"}).exit_code, 0) << Errors();
  InWork("echo again > file");
  EXPECT_EQ(SubmitHere({"--upload", "--key", "k"}).exit_code, 2);
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("was started with it"));
}

TEST_F(SubmitUpload, NamesOneSourceOnly) {
  EXPECT_EQ(SubmitHere({"--upload", "--commit", "HEAD"}).exit_code, 2);
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("--upload sends this working tree"));
}

// What the workers may get of it, the next server knows from the facts.
TEST_F(SubmitUpload, TheNextServerHandsItOut) {
  server_->Kill();
  Set("  default: ", "{}");
  StartServer();
  Pipeline("cat file");
  support::Launch launch = Launch({"submit", "ci.yml", "--upload"}, "submit");
  launch.folder = File("work");
  const auto submitted = support::RunDayfly(launch);
  ASSERT_EQ(submitted.exit_code, 0) << Errors();
  RestartServer();
  const auto agent = Agent(Token());
  const std::string run = submitted.text.substr(0, submitted.text.find('\n'));
  const auto ended = Run({"watch", run, "--output", "plain"});
  EXPECT_EQ(ended.exit_code, 0) << ended.text << Errors();
  EXPECT_THAT(ended.text, HasSubstr("changed"));
}

TEST_F(SubmitUpload, ComesInOverTls) {
  Pipeline("cat file");
  support::Launch launch =
      Launch({"submit", "ci.yml", "--watch", "--upload", "--server", address_}, "submit");
  launch.env.push_back("DAYFLY_CERTIFICATES=" + File("srv/certificates"));
  launch.folder = File("work");
  const auto ended = support::RunDayfly(launch);
  EXPECT_EQ(ended.exit_code, 0) << ended.text << Errors();
}

TEST_F(SubmitUpload, WhatWasNotSentIsNoSource) {
  api::wire::Submission submission;
  submission.request_key = "k";
  submission.pipeline_file = "ci.yml";
  submission.pipeline_text = kPipeline;
  submission.uploaded_tree = std::string(64, 'a');
  api::client::Connection connection({.servers = {"unix:" + File("srv/api.sock")}});
  api::client::RunClient runs(connection);
  const auto answer = runs.Submit(submission);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kFailedPrecondition) << answer.status();
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("source.uploaded_tree"));
}

}  // namespace
}  // namespace tests::server
