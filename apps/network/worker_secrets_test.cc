// SPDX-License-Identifier: Apache-2.0
#include "apps/network/worker_secrets.h"

#include <string>

#include <gtest/gtest.h>

namespace apps::network {
namespace {

namespace model = engine::model;

model::Template Text(std::string text) {
  return {.text = std::move(text), .at = {}, .has_expression = true};
}

TEST(NamesSecret, LooksWhereAWorkerEvaluates) {
  struct Case {
    const char* name;
    void (*put)(model::JobSpec& spec, const std::string& text);
  };
  constexpr Case kCases[] = {
      {"run", [](auto& spec, const auto& text) { spec.steps[0].run = Text(text); }},
      {"workdir", [](auto& spec, const auto& text) { spec.steps[0].workdir = Text(text); }},
      {"env", [](auto& spec,
                 const auto& text) { spec.steps[0].env = {{.name = "T", .value = Text(text)}}; }},
      {"finally",
       [](auto& spec, const auto& text) {
         spec.rare->finally_steps.resize(1);
         spec.rare->finally_steps[0].run = Text(text);
       }},
      {"output",
       [](auto& spec, const auto& text) {
         spec.rare->outputs = {{.name = "o", .value = Text(text)}};
       }},
  };
  for (const Case& test : kCases) {
    model::JobSpec spec;
    spec.steps.resize(1);
    spec.rare = std::make_unique<model::RareJobSettings>();
    test.put(spec, "x ${{ secrets.TOKEN }}");
    EXPECT_TRUE(NamesSecret(spec, "TOKEN")) << test.name;
    EXPECT_TRUE(NamesSecret(spec, "token")) << test.name;
    EXPECT_FALSE(NamesSecret(spec, "TOKEN2")) << test.name;
  }
}

TEST(NamesSecret, ReadsConditionsAndNotPlainText) {
  model::JobSpec spec;
  spec.steps.resize(1);
  spec.steps[0].run.text = "echo secrets.TOKEN";
  EXPECT_FALSE(NamesSecret(spec, "TOKEN"));
  spec.steps[0].condition.text = "secrets.TOKEN != ''";
  EXPECT_TRUE(NamesSecret(spec, "TOKEN"));
}

TEST(FindGitLogin, TakesTheLongestBeginning) {
  ServerConfig config;
  config.git_logins = {
      {.url = "https://git.example.org", .username = "all", .password_file = "a"},
      {.url = "https://git.example.org/team", .username = "team", .password_file = "b"}};
  const auto user = [&](const std::string& url) {
    const GitLoginConfig* login = FindGitLogin(config, url);
    return login == nullptr ? "" : login->username;
  };
  EXPECT_EQ(user("https://git.example.org/x.git"), "all");
  EXPECT_EQ(user("https://git.example.org/team/x.git"), "team");
  EXPECT_EQ(user("https://git.example.org/teams/x.git"), "all");
  EXPECT_EQ(user("https://git.example.org.evil.example/x.git"), "");
  EXPECT_EQ(user("http://git.example.org/x.git"), "");
}

}  // namespace
}  // namespace apps::network
