// SPDX-License-Identifier: Apache-2.0
// Secrets that `server.yml` names reach the steps that read them, and nobody and nothing else.
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "agents/secrets/server_secrets.h"
#include "agents/session/identity.h"
#include "tests/server/real_server.h"

namespace tests::server {
namespace {

using support::DayflyProcess;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kValue = "sesame-open-sesame";

class Secrets : public RealServer {
 protected:
  void SetUp() override {
    RealServer::SetUp();
    WriteSecret("token", kValue, 0600);
    WriteSecret("other", "for-somebody-else", 0600);
    WriteSecret("open", "to-everybody", 0644);
    Set("secrets: ", "{ TOKEN: token, OTHER: other, OPEN: open }");
    Set("  default: ", "{}");
    StartServer();
    agent_ = Agent(Token());
  }
  void WriteSecret(const std::string& file, const std::string& value, mode_t mode) const {
    std::ofstream(File("srv/" + file)) << value << "\n";
    ASSERT_EQ(chmod(File("srv/" + file).c_str(), mode), 0);
  }
  static std::string Reading(const std::string& secret, const std::string& step) {
    return fmt::format(
        "name: s\njobs:\n  s:\n    checkout: false\n    steps:\n      - run: {}\n"
        "        env: {{ T: \"${{{{ secrets.{} }}}}\" }}\n",
        step, secret);
  }
  agents::secrets::ServerSecrets AsTheAgent() const {
    const auto identity = agents::session::LoadIdentity(File("agent/identity"));
    EXPECT_TRUE(identity.ok()) << identity.status();
    return agents::secrets::ServerSecrets(
        {.addresses = {address_}, .authority = identity->authority, .client = identity->pair});
  }

  std::unique_ptr<DayflyProcess> agent_;
};

TEST_F(Secrets, ReachTheStepAndNoFileOfTheAgent) {
  const auto submitted = Submit(Reading("TOKEN", "test ${#T} = 18; echo \"$T\"; " + HeldStep()));
  AwaitBegin();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(File("agent"))) {
    if (entry.is_regular_file()) {
      ++files;
      const std::string text = TextOf(entry.path().string());
      EXPECT_THAT(text, Not(HasSubstr(kValue))) << entry.path();
    }
  }
  EXPECT_GT(files, 0U);
  LetGoOn();
  ExpectSuccess(*submitted);
  EXPECT_EQ(Run({"logs", "latest", "--raw"}).text, "***\n") << Errors();
}

TEST_F(Secrets, AreForWorkersThatRunWhatNamesThem) {
  const auto submitted = Submit(Reading("TOKEN", HeldStep()));
  AwaitBegin();
  auto secrets = AsTheAgent();
  EXPECT_EQ(secrets.Read("TOKEN").value_or(""), kValue);
  EXPECT_EQ(secrets.Read("OTHER").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(secrets.GitCredential("https://git.example.org/x.git").status().code(),
            absl::StatusCode::kPermissionDenied);
  LetGoOn();
  ExpectSuccess(*submitted);
  EXPECT_EQ(secrets.Read("TOKEN").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(Secrets, ThatAreNotThereFailTheStepByName) {
  const auto submitted = Submit(Reading("NONE", "'true'"));
  EXPECT_THAT(submitted->ReadRest(), HasSubstr("the server has no secret 'NONE'"));
  EXPECT_EQ(submitted->Wait(), 1);
}

TEST_F(Secrets, ThatOthersCanReadAreRefused) {
  const auto submitted = Submit(Reading("OPEN", "'true'"));
  EXPECT_THAT(submitted->ReadRest(), HasSubstr("can be read by others"));
  EXPECT_EQ(submitted->Wait(), 1);
}

}  // namespace
}  // namespace tests::server
