// SPDX-License-Identifier: Apache-2.0
#include "dsl/activation.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/pipeline_under_test.h"

namespace dsl {
namespace {

using testing::ElementsAre;

struct Case {
  std::string name;
  std::string on;
  Event event;
  std::string refusal;  ///< empty: active
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class PipelineActivation : public testing::TestWithParam<Case> {};

TEST_P(PipelineActivation, FollowsOn) {
  const auto plan = PlanOf(GetParam().on + "\njobs: { a: { steps: [x] } }\n");
  ASSERT_NE(plan, nullptr);
  const Activity activity = PipelineActive(*plan, GetParam().event);
  EXPECT_EQ(activity.reason, GetParam().refusal);
  EXPECT_EQ(activity.active, GetParam().refusal.empty());
}

Event Push(std::string branch) {
  return {"push", std::move(branch), "", std::nullopt};
}
Event Tag(std::string tag) {
  return {"push", "", std::move(tag), std::nullopt};
}
Event Changed(std::vector<std::string> paths) {
  return {"push", "main", "", std::move(paths)};
}

const Case kCases[] = {
    {"AnyEvent", "on: manual", {}, ""},
    {"NotNamed", "on: manual", Push("main"), "`on` does not name `push`"},
    {"Named", "on: push", Push("main"), ""},
    {"Branch", "on: { push: { branches: [main] } }", Push("main"), ""},
    {"OtherBranch", "on: { push: { branches: [main, \"r/*\"] } }", Push("x"),
     "on.push: the branch `x` matches none of main, r/*"},
    {"UnknownBranch", "on: { push: { branches: [main] } }", {"push", "", "", std::nullopt}, ""},
    {"IgnoredBranch", "on: { push: { branches_ignore: [\"tmp/**\"] } }", Push("tmp/a/b"),
     "on.push: the branch `tmp/a/b` is ignored by tmp/**"},
    {"NotIgnoredBranch", "on: { push: { branches_ignore: [\"tmp/**\"] } }", Push("main"), ""},
    {"TagWhereBranchesAreNamed", "on: { push: { branches: [main] } }", Tag("v1"),
     "on.push: a tag was pushed, and only branches are named"},
    {"BranchWhereTagsAreNamed", "on: { push: { tags: [\"v*\"] } }", Push("main"),
     "on.push: no tag was pushed, and only tags are named"},
    {"TagOnPush", "on: { push: { tags: [\"v*\"] } }", Tag("v1"), ""},
    {"TagDecidesAboutTags", "on: { push: {}, tag: { tags: [\"v*\"] } }", Tag("x1"),
     "on.tag: the tag `x1` matches none of v*"},
    {"TagEvent", "on: { tag: { tags: [\"v*\"] } }", {"tag", "", "v2", std::nullopt}, ""},
    {"TagEventOnPush", "on: push", {"tag", "", "v2", std::nullopt}, ""},
    {"Path", "on: { push: { paths: [\"src/**\"] } }", Changed({"a", "src/x"}), ""},
    {"NoPath", "on: { push: { paths: [\"src/**\", \"!**/*.md\"] } }", Changed({"a", "src/x.md"}),
     "on.push: no changed file matches src/**, !**/*.md"},
    {"NothingChanged", "on: { push: { paths: [\"src/**\"] } }", Changed({}),
     "on.push: no changed file matches src/**"},
    {"ChangesUnknown", "on: { push: { paths: [\"src/**\"] } }", Push("main"), ""},
    {"IgnoredPaths", "on: { push: { paths_ignore: [\"docs/**\"] } }", Changed({"docs/a"}),
     "on.push: every changed file is ignored by docs/**"},
    {"NotAllIgnored", "on: { push: { paths_ignore: [\"docs/**\"] } }", Changed({"docs/a", "b"}),
     ""},
    {"Schedule",
     "on: { schedule: { cron: \"0 3 * * *\" } }",
     {"schedule", "main", "", std::nullopt},
     ""},
    {"NoManual", "on: push", {"manual", "", "", std::nullopt}, "`on` does not name `manual`"},
    {"UnknownEvent", "on: push", {"psuh", "", "", std::nullopt}, "there is no event `psuh`"},
};
INSTANTIATE_TEST_SUITE_P(On, PipelineActivation, testing::ValuesIn(kCases),
                         [](const auto& c) { return std::string(c.param.name); });

std::vector<std::string> Jobs(const std::string& jobs, const Event& event,
                              const std::vector<engine::model::NamedValue>& inputs = {}) {
  const auto plan = PlanOf(jobs);
  std::vector<std::string> texts;
  if (plan != nullptr) {
    for (const Activity& activity : JobActivities(*plan, event, inputs)) {
      texts.push_back((activity.active ? "+" : "-") + activity.reason);
    }
  }
  return texts;
}

TEST(JobActivities, AskConditionsThatAreKnownNow) {
  const std::string jobs = R"(
inputs: { level: { default: quick } }
env: { MODE: "${{ inputs.level }}", AT: "${{ run.id }}" }
jobs:
  a: { if: branch == 'main', steps: [x] }
  b: { if: inputs.level == 'full', steps: [x] }
  c: { if: env.MODE == 'quick' && event.name == 'push', steps: [x] }
  d: { if: env.AT == '1', steps: [x] }
  e: { if: commit == '1', steps: [x] }
  f: { if: tag == '', steps: [x] }
)";
  EXPECT_THAT(
      Jobs(jobs, Push("x"), {{"level", "\"quick\""}}),
      ElementsAre("-`if` is false: branch == 'main'", "-`if` is false: inputs.level == 'full'", "+",
                  "+decided in the run: `if` reads `env`",
                  "+decided in the run: `if` reads `commit`", "+"));
  EXPECT_THAT(Jobs(jobs, Event(), {{"level", "\"full\""}})[0],
              "+decided in the run: `if` reads `branch`");
}

TEST(JobActivities, AskEachCell) {
  EXPECT_THAT(Jobs("jobs: { a: { matrix: { n: [1, 2] }, if: matrix.n == 2, steps: [x] } }", {}),
              ElementsAre("-`if` is false: matrix.n == 2", "+"));
}

TEST(JobActivities, LeaveStatusesToTheRun) {
  const std::string jobs = R"(
jobs:
  a: { steps: [x] }
  b: { needs: [a], if: failure(), steps: [x] }
  c: { needs: [a], if: always(), steps: [x] }
  d: { needs: [a], if: success(), steps: [x] }
  e: { needs: [a], if: needs.a.result == 'failed', steps: [x] }
  f: { needs: [a], if: always() && false, steps: [x] }
)";
  EXPECT_THAT(Jobs(jobs, {}), ElementsAre("+", "+decided in the run: `if` asks how the needs ended",
                                          "+", "+", "+decided in the run: `if` reads `needs`",
                                          "-`if` is false: always() && false"));
}

TEST(JobActivities, FollowNeedsOfWhatDoesNotRun) {
  const std::string jobs = R"(
jobs:
  a: { if: false, steps: [x] }
  b: { needs: [a], steps: [x] }
  c: { needs: [{ job: a, on: failure }], steps: [x] }
  d: { needs: [{ job: c, on: failure }], steps: [x] }
  e: { needs: [{ job: a, on: failure }], if: always(), steps: [x] }
)";
  const auto compiled = CompileText(jobs);
  ASSERT_NE(compiled.plan, nullptr);
  std::vector<std::string> texts;
  for (const Activity& activity : JobActivities(*compiled.plan, {}, {})) {
    texts.push_back((activity.active ? "+" : "-") + activity.reason);
  }
  EXPECT_THAT(texts, ElementsAre("-`if` is false: false", "+",
                                 "-needs the failure of `a`, which does not run",
                                 "-needs the failure of `c`, which does not run", "+"));
}

TEST(JobActivities, AreAllOffWhenThePipelineIs) {
  EXPECT_THAT(Jobs("on: push\njobs: { a: { steps: [x] }, b: { steps: [x] } }",
                   {"manual", "", "", std::nullopt}),
              ElementsAre("-`on` does not name `manual`", "-`on` does not name `manual`"));
}

}  // namespace
}  // namespace dsl
