// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/cron.h"
#include "dsl/glob.h"
#include "dsl/pipeline_under_test.h"

namespace dsl {
namespace {

using testing::ElementsAre;

TEST(Glob, MatchesTheWholeText) {
  const struct {
    const char* pattern;
    const char* text;
    bool matches;
  } cases[] = {
      {"main", "main", true},
      {"main", "mainx", false},
      {"*", "main", true},
      {"*", "a/b", false},
      {"**", "a/b/c", true},
      {"*", "", true},
      {"release/*", "release/1", true},
      {"release/*", "release/1/2", false},
      {"release/**", "release/1/2", true},
      {"**/x.md", "x.md", true},
      {"**/x.md", "a/b/x.md", true},
      {"**/x.md", "a/yx.md", false},
      {"a/**/b", "a/b", true},
      {"a/**/b", "a/x/y/b", true},
      {"a/**/b", "a/xb", false},
      {"**.md", "a/b.md", true},
      {"src/**", "src/a/b.c", true},
      {"src/**", "src", false},
      {"v?", "v1", true},
      {"v?", "v12", false},
      {"v?", "v/", false},
      {"v?", "vä", true},
      {"v[0-9].[0-9]*", "v1.20", true},
      {"v[0-9].[0-9]*", "vx.20", false},
      {"[!a]", "b", true},
      {"[!a]", "a", false},
      {"[]]", "]", true},
      {"a\\*", "a*", true},
      {"a\\*", "ab", false},
      {"a*b*c", "axxbyyc", true},
      {"a*b*c", "axxbyy", false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(GlobMatches(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
  }
}

TEST(Glob, IsNotBlownUpByStars) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) {
    pattern += "*a";
  }
  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(5000, 'a')));
}

TEST(Glob, TakesOutAgainInOrder) {
  const std::vector<std::string> patterns = {"src/**", "!src/gen/**", "src/gen/keep.c"};
  EXPECT_TRUE(GlobsMatch(patterns, "src/a.c"));
  EXPECT_FALSE(GlobsMatch(patterns, "src/gen/a.c"));
  EXPECT_TRUE(GlobsMatch(patterns, "src/gen/keep.c"));
  EXPECT_FALSE(GlobsMatch(patterns, "doc/a.c"));
  EXPECT_FALSE(GlobsMatch({}, "x"));
}

TEST(Glob, NamesItsFaults) {
  EXPECT_EQ(GlobFault("[a"), "a `[` is not closed");
  EXPECT_EQ(GlobFault(""), "it is empty");
  EXPECT_EQ(GlobFault("a\\"), "nothing follows the `\\`");
  EXPECT_EQ(GlobFault("a[b-c]*?"), std::nullopt);
}

TEST(Cron, TakesWhatCronTakes) {
  for (const char* good : {"0 3 * * *", "*/5 * * * *", "0,30 8-18/2 1 JAN-mar 1-5", "0 0 1 1 sun",
                           "59 23 31 12 7", "  0   3 * * *  "}) {
    EXPECT_FALSE(CronFault(good).has_value()) << good;
  }
  for (const char* bad : {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *",
                          "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *",
                          "1,,2 * * * *", "1- * * * *", "-1 * * * *", "1/ * * * *"}) {
    EXPECT_TRUE(CronFault(bad).has_value()) << bad;
  }
  EXPECT_EQ(CronFault("0 3 32 * *")->offset, 4U);
  EXPECT_EQ(CronFault("0 3 32 * *")->length, 2U);
}

engine::model::Triggers On(const std::string& text) {
  const auto plan = PlanOf(text + "\njobs: { a: { steps: [x] } }\n");
  return plan == nullptr ? engine::model::Triggers() : plan->on;
}

TEST(Triggers, AreTheseWithoutOn) {
  const engine::model::Triggers on = On("");
  EXPECT_TRUE(on.push.has_value());
  EXPECT_TRUE(on.pull_request.has_value());
  EXPECT_TRUE(on.manual);
  EXPECT_FALSE(on.tag.has_value());
}

TEST(Triggers, AreOnlyThoseThatAreNamed) {
  EXPECT_TRUE(On("on: push").push.has_value());
  EXPECT_FALSE(On("on: push").manual);
  const engine::model::Triggers list = On("on: [pull_request, manual]");
  EXPECT_FALSE(list.push.has_value());
  EXPECT_TRUE(list.pull_request.has_value());
  EXPECT_TRUE(list.manual);
}

TEST(Triggers, KeepFiltersAndSchedules) {
  const engine::model::Triggers on = On(R"(on:
  push: { branches: main, paths_ignore: ["docs/**", "*.md"] }
  pull_request:
  tag: { tags: ["v*", "!v0*"] }
  schedule: [{ cron: "0 3 * * *", timezone: Europe/Berlin }, { cron: "0 4 * * *" }]
  webhook: {}
  run: [build, lint])");
  EXPECT_THAT(on.push->branches, ElementsAre("main"));
  EXPECT_THAT(on.push->paths_ignore, ElementsAre("docs/**", "*.md"));
  EXPECT_TRUE(on.pull_request.has_value());
  EXPECT_THAT(on.tag->tags, ElementsAre("v*", "!v0*"));
  ASSERT_EQ(on.schedule.size(), 2U);
  EXPECT_EQ(on.schedule[0].timezone, "Europe/Berlin");
  EXPECT_TRUE(on.webhook);
  EXPECT_THAT(on.run, ElementsAre("build", "lint"));
  EXPECT_FALSE(on.manual);
}

}  // namespace
}  // namespace dsl
