// SPDX-License-Identifier: Apache-2.0
// The views of one plan, word for word: they are interfaces.
#include "dsl/plan_view.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "dsl/pipeline_under_test.h"

namespace dsl {
namespace {

constexpr std::string_view kPipeline = R"(name: "say \"hi\""
stages: [build, test, ship]
jobs:
  compile: { stage: build, steps: [x] }
  docs: { stage: build, if: branch == 'main', steps: [x] }
  unit:
    stage: test
    matrix: { os: [linux, mac], n: [1] }
    steps: [x]
  lint: { stage: test, needs: [], steps: [x] }
  alarm: { needs: [{ job: unit, on: failure }, { job: lint, on: end, optional: true }], steps: [x] }
  deploy: { stage: ship, needs: [unit], steps: [x] }
)";

std::string View(std::string_view text, PlanFormat format, bool edges = false) {
  const auto plan = PlanOf(text);
  if (plan == nullptr) {
    return "";
  }
  std::string out;
  const engine::base::Status status =
      WritePlan(*plan, JobActivities(*plan, {"", "side", "", std::nullopt}, {}),
                {.format = format, .edges = edges}, [&](std::string_view piece) { out += piece; });
  EXPECT_TRUE(status.ok());
  return out;
}

TEST(PlanJson, ListsNeedsAsWritten) {
  EXPECT_EQ(View(kPipeline, PlanFormat::kJson), R"({"name":"say \"hi\"","jobs":[
{"id":"compile","stage":"build","needs":[],"matrix":{},"active":true,"reason":""},
{"id":"docs","stage":"build","needs":[],"matrix":{},"active":false,"reason":"`if` is false: branch == 'main'"},
{"id":"unit[linux, 1]","stage":"test","needs":[],"matrix":{"os":"linux","n":1},"active":true,"reason":""},
{"id":"unit[mac, 1]","stage":"test","needs":[],"matrix":{"os":"mac","n":1},"active":true,"reason":""},
{"id":"lint","stage":"test","needs":[],"matrix":{},"active":true,"reason":""},
{"id":"alarm","stage":null,"needs":[{"job":"unit","on":"failure","optional":false},{"job":"lint","on":"end","optional":true}],"matrix":{},"active":true,"reason":""},
{"id":"deploy","stage":"ship","needs":[{"job":"unit","on":"success","optional":false}],"matrix":{},"active":true,"reason":""}]}
)");
}

TEST(PlanJson, IsJson) {
  for (const bool edges : {false, true}) {
    const std::string text = View(kPipeline, PlanFormat::kJson, edges);
    const auto json = nlohmann::json::parse(text, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << text;
    EXPECT_EQ(json["jobs"].size(), 7U);
  }
}

TEST(PlanJson, ExpandsEdgesToJobs) {
  const auto json = nlohmann::json::parse(View(kPipeline, PlanFormat::kJson, true), nullptr, false);
  const auto needs = [&](std::size_t job) {
    std::string text;
    for (const auto& need : json["jobs"][job]["needs"]) {
      text += need["job"].get<std::string>() + " " + need["on"].get<std::string>() + ";";
    }
    return text;
  };
  EXPECT_EQ(needs(0), "");
  EXPECT_EQ(needs(2), "compile success;docs success;");
  EXPECT_EQ(needs(4), "");
  EXPECT_EQ(needs(5), "unit[linux, 1] failure;unit[mac, 1] failure;lint end;");
  EXPECT_EQ(needs(6), "unit[linux, 1] success;unit[mac, 1] success;");
}

TEST(PlanText, IsATable) {
  EXPECT_EQ(View(kPipeline, PlanFormat::kText),
            R"(JOB             STAGE  NEEDS                                    RUNS
compile         build                                           yes
docs            build                                           no (`if` is false: branch == 'main')
unit[linux, 1]  test   (all earlier stages)                     yes
unit[mac, 1]    test   (all earlier stages)                     yes
lint            test                                            yes
alarm                  unit on failure, lint on end (optional)  yes
deploy          ship   unit                                     yes
say "hi": 6 of 7 jobs run
)");
}

TEST(PlanDot, FramesStagesAndDrawsBarriersAsPoints) {
  EXPECT_EQ(View(kPipeline, PlanFormat::kDot), R"(digraph "say \"hi\"" {
  rankdir=LR;
  node [shape=box, style=rounded];
  subgraph cluster_0 {
    label="build";
    j0 [label="compile"];
    j1 [label="docs", style="rounded,dashed", fontcolor=gray];
  }
  subgraph cluster_1 {
    label="test";
    j2 [label="unit × 2"];
    j3 [label="lint"];
  }
  subgraph cluster_2 {
    label="ship";
    j5 [label="deploy"];
  }
  j4 [label="alarm"];
  b1 [shape=point];
  b2 [shape=point];
  j2 -> j4 [style=dashed, label="failure"];
  j3 -> j4 [style=dashed, label="end, optional"];
  j2 -> j5;
  j0 -> b1;
  j1 -> b1;
  j2 -> b2;
  b1 -> j2;
  j3 -> b2;
  b1 -> b2;
}
)");
}

TEST(PlanMermaid, DrawsTheSame) {
  EXPECT_EQ(View(kPipeline, PlanFormat::kMermaid), R"(flowchart LR
  subgraph s0["build"]
    j0["compile"]
    j1["docs"]:::skipped
  end
  subgraph s1["test"]
    j2["unit × 2"]
    j3["lint"]
  end
  subgraph s2["ship"]
    j5["deploy"]
  end
  j4["alarm"]
  b1(( ))
  b2(( ))
  j2 -. failure .-> j4
  j3 -. end, optional .-> j4
  j2 --> j5
  j0 --> b1
  j1 --> b1
  j2 --> b2
  b1 --> j2
  j3 --> b2
  b1 --> b2
  classDef skipped stroke-dasharray: 4 4, color: gray
)");
}

TEST(PlanMermaid, ExpandsEdgesToJobs) {
  const std::string text =
      View("jobs: { a: { matrix: { n: [1, 2] }, steps: [x] }, b: { needs: [a], steps: [x] } }",
           PlanFormat::kMermaid, true);
  EXPECT_THAT(text, testing::HasSubstr("  j0[\"a[1]\"]\n  j1[\"a[2]\"]\n  j2[\"b\"]\n"));
  EXPECT_THAT(text, testing::HasSubstr("  j0 --> j2\n  j1 --> j2\n"));
}

TEST(PlanEdges, AreBounded) {
  const auto plan = PlanOf(
      "stages: [a, b]\njobs: { x: { stage: a, matrix: { n: [1, 2, 3] }, steps: [x] }, "
      "y: { stage: b, matrix: { n: [1, 2, 3] }, steps: [x] } }");
  ASSERT_NE(plan, nullptr);
  bool wrote = false;
  const auto sink = [&](std::string_view) { wrote = true; };
  EXPECT_TRUE(WritePlan(*plan, {}, {.edges = true, .edges_max = 9}, sink).ok());
  wrote = false;
  const engine::base::Status status = WritePlan(*plan, {}, {.edges = true, .edges_max = 8}, sink);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(engine::base::Message(status)), testing::HasSubstr("9 edges"));
  EXPECT_FALSE(wrote);
}

TEST(PlanDefaults, AreListed) {
  const std::string text = DefaultsText();
  EXPECT_THAT(text, testing::ContainsRegex("jobs\\.NAME\\.timeout +1h "));
  EXPECT_THAT(text, testing::ContainsRegex("cancel: grace +10s "));
  EXPECT_THAT(text, testing::ContainsRegex("jobs\\.NAME\\.matrix\\.fail_fast +true "));
  EXPECT_THAT(text, testing::ContainsRegex("jobs in a run +100000 "));
  EXPECT_THAT(text, testing::ContainsRegex("included files +500 "));
  EXPECT_THAT(text, testing::ContainsRegex("jobs\\.NAME\\.approval\\.timeout +7d "));
  EXPECT_THAT(text, testing::HasSubstr("3, backoff 1.0s x2 up to 1m00s, ±10 %"));
}

}  // namespace
}  // namespace dsl
