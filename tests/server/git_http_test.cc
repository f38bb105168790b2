// SPDX-License-Identifier: Apache-2.0
// An agent fetches a repository over HTTP with the password that its server holds: real git on both
// sides.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/server/real_server.h"

namespace tests::server {
namespace {

using support::DayflyProcess;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPassword = "correct-horse-battery";

class GitOverHttp : public RealServer {
 protected:
  void SetUp() override {
    RealServer::SetUp();
    ASSERT_EQ(std::system("python3 --version > /dev/null && git --version > /dev/null"), 0)
        << "python3 or git is missing; scripts/bootstrap test installs them";
    MakeRepository();
    Serve();
    Set("  default: ", "{}");
  }
  void TearDown() override {
    RealServer::TearDown();
    if (git_ != nullptr) {
      pclose(git_);  // its standard input ends
    }
  }

  void Shell(const std::string& command) const {
    ASSERT_EQ(std::system(fmt::format("cd '{}' && export HOME=$PWD && ({}) > shell.log 2>&1",
                                      File("."), command)
                              .c_str()),
              0)
        << TextOf(File("shell.log"));
  }
  void MakeRepository() const {
    Shell(
        "git init -q -b main work && cd work && echo by-http > file && git add file &&"
        " git -c user.name=a -c user.email=a@b commit -q -m first && git rev-parse HEAD > ../commit"
        " && mkdir ../served && git clone -q --bare . ../served/x.git");
  }
  /// A second commit of `x`, in which the repository `inner` stands beside it as a submodule.
  void AddSubmodule() const {
    Shell(
        "git init -q -b main inner && cd inner && echo of-inner > there && git add there &&"
        " git -c user.name=a -c user.email=a@b commit -q -m inner && cd .. &&"
        " git clone -q --bare inner served/inner.git && cd work &&"
        " git remote add origin \"file://$PWD/../served/x.git\" &&"
        " git -c protocol.file.allow=always submodule --quiet add ../inner.git lib &&"
        " git -c user.name=a -c user.email=a@b commit -q -m second && git push -q origin main &&"
        " git rev-parse HEAD > ../commit");
  }
  void Serve() {
    ASSERT_EQ(mkfifo(File("ready").c_str(), 0600), 0);
    git_ = popen(fmt::format("exec python3 '{}' '{}' ci {} '{}' '{}'", DAYFLY_GIT_OVER_HTTP,
                             File("served"), kPassword, File("ready"), File("requests"))
                     .c_str(),
                 "we");
    ASSERT_NE(git_, nullptr);
    url_ = "http://127.0.0.1:" + TextOf(File("ready"));
    url_.pop_back();
  }
  /// What the server holds for this address.
  void SetPassword(const std::string& password) const {
    std::ofstream(File("srv/git-password")) << password << "\n";
    ASSERT_EQ(chmod(File("srv/git-password").c_str(), 0600), 0);
    Set("git: ", fmt::format("{{ \"{}\": {{ user: ci, password: git-password }} }}", url_));
  }
  void ExpectRefusal() const {
    const auto submitted = SubmitFromIt();
    EXPECT_THAT(submitted->ReadRest(),
                HasSubstr(url_ + "/x.git wants another user or password than the server has"));
    EXPECT_EQ(submitted->Wait(), 1);
    EXPECT_THAT(TextOf(File("requests")), Not(HasSubstr("200 ")));
  }
  std::unique_ptr<DayflyProcess> SubmitFromIt(
      const std::string& job = "{ steps: ['grep by-http file'] }") const {
    std::ofstream(File("ci.yml")) << "name: x\njobs: { j: " << job << " }\n";
    std::string commit = TextOf(File("commit"));
    commit.pop_back();
    return std::make_unique<DayflyProcess>(
        Launch({"submit", "ci.yml", "--watch", "--output", "plain", "--repo", url_ + "/x.git",
                "--commit", commit},
               "submit"));
  }
  void ExpectPasswordNowhere(const std::string& folder) const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(File(folder))) {
      if (entry.is_regular_file()) {
        EXPECT_THAT(TextOf(entry.path().string()), Not(HasSubstr(kPassword))) << entry.path();
      }
    }
  }

  std::string url_;
  FILE* git_ = nullptr;
};

TEST_F(GitOverHttp, FetchesWithThePasswordThatTheServerHolds) {
  SetPassword(kPassword);
  StartServer();
  const auto agent = Agent(Token());
  const auto submitted = SubmitFromIt();
  ExpectSuccess(*submitted);
  EXPECT_THAT(TextOf(File("requests")), HasSubstr("200 /x.git/git-upload-pack"));
  ExpectPasswordNowhere("agent");
  EXPECT_THAT(Errors(), Not(HasSubstr(kPassword)));
}

TEST_F(GitOverHttp, ACheckoutWithSubmodulesFetchesThemWithoutHistory) {
  AddSubmodule();
  SetPassword(kPassword);
  StartServer();
  const auto agent = Agent(Token());
  const auto submitted = SubmitFromIt(
      "{ checkout: { depth: 1, submodules: true }, steps: ['grep by-http file',"
      " 'grep of-inner lib/there', 'test $(git rev-list --all --count) = 1'] }");
  ExpectSuccess(*submitted);
  EXPECT_THAT(TextOf(File("requests")), HasSubstr("200 /inner.git/git-upload-pack"));
}

TEST_F(GitOverHttp, ASubmoduleIsNotReadWithThePasswordOfAnotherRepository) {
  AddSubmodule();
  SetPassword(kPassword);
  Set("git: ", fmt::format("{{ \"{0}\": {1}, \"{0}/inner.git\": {1} }}", url_,
                           "{ user: ci, password: git-password }"));
  StartServer();
  const auto agent = Agent(Token());
  const auto submitted = SubmitFromIt("{ checkout: { submodules: true }, steps: ['true'] }");
  EXPECT_THAT(submitted->ReadRest(),
              HasSubstr("the server keeps the password of " + url_ + "/inner.git from this run"));
  EXPECT_EQ(submitted->Wait(), 1);
}

TEST_F(GitOverHttp, WithoutAPasswordTheJobFailsAndSaysWhy) {
  StartServer();
  const auto agent = Agent(Token());
  ExpectRefusal();
}

TEST_F(GitOverHttp, WithAWrongPasswordTheJobFailsAndDoesNotRepeatIt) {
  constexpr const char* kGuess = "wrong-horse-staple";
  SetPassword(kGuess);
  StartServer();
  const auto agent = Agent(Token());
  ExpectRefusal();
  EXPECT_THAT(Errors(), Not(HasSubstr(kGuess)));
}

}  // namespace
}  // namespace tests::server
