// SPDX-License-Identifier: Apache-2.0
#include "apps/server_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace apps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ServerConfig Parsed(const std::string& text) {
  const auto parsed = ParseServerConfig("/etc/dayfly/server.yml", text);
  EXPECT_TRUE(parsed.config.has_value());
  return parsed.config.value_or(ServerConfig());
}

dsl::Diagnostic Problem(const std::string& text) {
  const auto parsed = ParseServerConfig("server.yml", text);
  EXPECT_FALSE(parsed.config.has_value());
  EXPECT_EQ(parsed.diagnostics.size(), 1U) << text;
  return parsed.diagnostics.empty() ? dsl::Diagnostic() : parsed.diagnostics[0];
}

TEST(ServerConfig, TheTemplateIsInOrder) {
  ServerConfig without = Parsed("");
  const ServerConfig with = Parsed(ServerConfigTemplate());
  EXPECT_EQ(with.store_file, without.store_file);
  EXPECT_EQ(with.socket, without.socket);
  EXPECT_EQ(with.logs, without.logs);
  EXPECT_THAT(with.pools, ElementsAre(PoolConfig{
                              .name = "default", .slots = 2, .workers_min = 0, .workers_max = 2}));
}

TEST(ServerConfig, LabelsOfAPool) {
  const ServerConfig config =
      Parsed("pools:\n  a: { max: 1, labels: { zone: b, disk: ssd } }\n  b: { labels: }\n");
  EXPECT_EQ(config.pools[0].labels,
            (std::vector<engine::model::Label>{{"disk", "ssd"}, {"zone", "b"}}));
  EXPECT_TRUE(config.pools[1].labels.empty());
  EXPECT_EQ(Problem("pools:\n  a:\n    labels: [ssd]\n").code, "wrong-type");
  EXPECT_EQ(Problem("pools:\n  a:\n    labels:\n      a b: c\n").line, 4U);
  EXPECT_EQ(Problem("pools:\n  a:\n    labels:\n      a: very fast\n").code, "bad-value");
}

TEST(ServerConfig, PathsAreMeantFromItsFolder) {
  const ServerConfig config = Parsed("logs: l\nartifacts: /var/a\n");
  EXPECT_EQ(config.logs, "/etc/dayfly/l");
  EXPECT_EQ(config.artifacts, "/var/a");
}

TEST(ServerConfig, KeepsRunsForSoManyDays) {
  EXPECT_EQ(Parsed("keep: 90\n").keep_days, 90U);
  EXPECT_EQ(Parsed("").keep_days, 0U) << "for ever";
  EXPECT_EQ(Problem("keep: 0\n").line, 1U);
  EXPECT_EQ(Problem("keep: 90d\n").line, 1U);
}

TEST(ServerConfig, AKeyWithoutAValueIsToldWhereItStands) {
  const dsl::Diagnostic problem = Problem("listen: 127.0.0.1:1\nkeep:\n\n# so long\nlogs: l\n");
  EXPECT_EQ(problem.code, "empty-value");
  EXPECT_EQ(problem.line, 2U);
  EXPECT_EQ(Problem("pools:\n  default:\n    slots:\n    max: 3\n").line, 3U);
  EXPECT_EQ(Parsed("secrets:\ngit:\npools:\n  default:\n").pools.size(), 1U);
}

TEST(ServerConfig, PoolsWithoutAPoolAreTold) {
  for (const char* text :
       {"logs: l\npools:\n", "logs: l\npools: {}\n", "logs: l\npools:\n\nkeep: 3\n"}) {
    const dsl::Diagnostic problem = Problem(text);
    EXPECT_EQ(problem.code, "empty-value") << text;
    EXPECT_EQ(problem.line, 2U) << text;
    EXPECT_THAT(problem.message, HasSubstr("no worker can join"));
    EXPECT_THAT(problem.hint, HasSubstr("pools: { default: {} }"));
  }
}

TEST(ServerConfig, TakesPostgresInPlaceOfAFile) {
  const ServerConfig config = Parsed("store: 'postgres:host=/tmp dbname=x'\n");
  EXPECT_EQ(config.store_postgres, "host=/tmp dbname=x");
  EXPECT_EQ(config.store_file, "");
}

TEST(ServerConfig, KnowsTheServersOfItsDatabase) {
  EXPECT_THAT(Parsed("servers: [a:1, b:2]\n").servers, ElementsAre("a:1", "b:2"));
  EXPECT_EQ(Problem("servers: [a:1, b]\n").code, "bad-value");
}

TEST(ServerConfig, AnUnknownKeyIsAnErrorWithItsPlaceAndASuggestion) {
  const dsl::Diagnostic problem = Problem("store: sqlite:x\nlistn: 127.0.0.1:1\n");
  EXPECT_EQ(problem.code, "unknown-key");
  EXPECT_EQ(problem.line, 2U);
  EXPECT_EQ(problem.column, 1U);
  EXPECT_THAT(problem.hint, HasSubstr("listen"));
}

TEST(ServerConfig, AnUnknownKeyOfAPoolIsAnErrorToo) {
  const dsl::Diagnostic problem = Problem("pools: { a: { slot: 2 } }\n");
  EXPECT_EQ(problem.code, "unknown-key");
  EXPECT_THAT(problem.hint, HasSubstr("slots"));
}

TEST(ServerConfig, APoolHasAProviderAndATimeToBeIdle) {
  const ServerConfig config = Parsed("pools: { a: { provider: process, max: 1, idle: 90s } }\n");
  ASSERT_EQ(config.pools.size(), 1U);
  EXPECT_EQ(config.pools[0].idle_after, std::chrono::seconds(90));
  EXPECT_EQ(config.pools[0].return_within, std::chrono::seconds(60));
  EXPECT_EQ(Parsed("pools: { a: { max: 1, return: 2s } }\n").pools[0].return_within,
            std::chrono::seconds(2));
  EXPECT_EQ(Problem("pools: { a: { provider: cloud } }\n").code, "wrong-value");
  EXPECT_EQ(Problem("pools: { 'a b': {} }\n").code, "bad-name");
}

TEST(ServerConfig, GitCredentialsAreFilesForBeginningsOfAddresses) {
  const ServerConfig config =
      Parsed("git: { 'https://git.example.org/': { user: ci, password: p } }\n");
  ASSERT_EQ(config.git_logins.size(), 1U);
  EXPECT_EQ(config.git_logins[0].url, "https://git.example.org");
  EXPECT_EQ(config.git_logins[0].username, "ci");
  EXPECT_EQ(config.git_logins[0].password_file, "/etc/dayfly/p");
  EXPECT_EQ(Problem("git: { 'https://u:p@example.org': { user: a, password: p } }\n").code,
            "bad-value");
  EXPECT_EQ(Problem("git: { 'https://example.org': { user: a } }\n").code, "missing-key");
}

TEST(ServerConfig, RefusesWhatIsNoAddressNoStoreNoNumber) {
  EXPECT_EQ(Problem("listen: somewhere\n").code, "bad-value");
  EXPECT_EQ(Problem("store: mysql:x\n").code, "bad-value");
  EXPECT_EQ(Problem("pools: { a: { min: 3, max: 2 } }\n").code, "bad-value");
  EXPECT_EQ(Problem("pools: 3\n").code, "wrong-type");
  EXPECT_EQ(Problem("secrets: { 'a b': x }\n").code, "bad-name");
}

}  // namespace
}  // namespace apps
