// SPDX-License-Identifier: Apache-2.0
#include "engine/core/core.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"
#include "tests/support/plan_builder.h"

namespace engine::core {
namespace {

using model::NeedOn;
using model::ReasonCode;
using model::Status;
using tests::support::CoreDriver;
using tests::support::PlanBuilder;

TEST(EngineCore, RunsAChainToItsEnd) {
  PlanBuilder plan;
  plan.Job("a");
  plan.Job("b").Needs({"a"});
  CoreDriver driver(plan.Build());
  driver.Connect(2);
  driver.Submit();
  EXPECT_EQ(driver.StatusOf("b"), Status::kWaiting);
  driver.Finish("a");
  driver.Finish("b");
  ASSERT_TRUE(driver.Ended().has_value());
  EXPECT_EQ(driver.Ended()->status, Status::kSucceeded);
}

TEST(EngineCore, TheEndOfAJobStartsTheNextInTheSameStep) {
  PlanBuilder plan;
  plan.Job("a");
  plan.Job("b").Needs({"a"});
  CoreDriver driver(plan.Build());
  driver.Connect(1);
  driver.Submit();
  const Decisions& decisions = driver.Finish("a");
  ASSERT_EQ(decisions.effects.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<model::DispatchAttempt>(decisions.effects[0]));
}

TEST(EngineCore, AJobWithOneStepCostsAtMostEightFacts) {
  PlanBuilder plan;
  plan.Job("a").Run("true");
  CoreDriver driver(plan.Build());
  driver.Submit();
  driver.Connect(1);
  driver.Report("a", model::ReportStarted());
  driver.Report("a", model::ReportStepStarted());
  driver.Report("a", model::ReportStepEnded());
  driver.Report("a", model::ReportEnded());
  const auto of_job = std::count_if(
      driver.facts().begin(), driver.facts().end(),
      [](const model::Fact& fact) { return ToText(fact).find("job=") != std::string::npos; });
  EXPECT_LE(of_job, 8);
  EXPECT_EQ(driver.Ended()->status, Status::kSucceeded);
}

TEST(EngineCore, ASuccessThatWasTakenOverSaysFromWhere) {
  PlanBuilder plan;
  plan.Job("a").Run("true").Reuse("src/**");
  CoreDriver driver(plan.Build());
  driver.Submit();
  driver.Connect(1);
  driver.Report("a", model::ReportStarted());
  driver.Report("a", model::ReportEnded{.reason = {.code = ReasonCode::kReused, .subject = "r1"}});
  EXPECT_EQ(driver.WhyOf("a").code, ReasonCode::kReused);
  EXPECT_EQ(driver.WhyOf("a").subject, "r1");
}

// ---- what is refused before a run exists

model::SubmitRun SubmitOf(const model::PlanRef& plan, std::uint64_t run = 1) {
  return {.run = model::RunId(run),
          .plan = plan,
          .context = std::make_shared<const model::RunContext>()};
}

model::Refusal RefusalOf(EngineCore& core, const model::Input& input) {
  const Decisions decisions = core.Step(input, base::InstantFromMicros(1'000'000));
  EXPECT_TRUE(decisions.facts.empty());
  EXPECT_TRUE(decisions.effects.empty());
  EXPECT_EQ(decisions.refused.size(), 1U);
  return decisions.refused.empty() ? model::Refusal() : decisions.refused[0];
}

TEST(SubmitRun, TheSameRunOrKeyIsTakenOnce) {
  PlanBuilder builder;
  builder.Job("a");
  const model::PlanRef plan = builder.Build();
  EngineCore core;
  model::SubmitRun first = SubmitOf(plan, 7);
  first.idempotency_key = "k";
  core.Step(first, base::InstantFromMicros(1));
  EXPECT_EQ(RefusalOf(core, first).code, model::RefusalCode::kAlreadyExists);
  model::SubmitRun second = SubmitOf(plan, 8);
  second.idempotency_key = "k";
  const model::Refusal refusal = RefusalOf(core, second);
  EXPECT_EQ(refusal.code, model::RefusalCode::kAlreadyExists);
  EXPECT_EQ(refusal.run, model::RunId(7)) << "the first run's id";
}

TEST(SubmitRun, WhatDoesNotFitThePlanIsRefused) {
  PlanBuilder builder;
  builder.Job("a");
  const model::PlanRef plan = builder.Build();
  EngineCore core;
  const auto refused = [&](auto change) {
    model::SubmitRun submit = SubmitOf(plan);
    change(submit);
    return RefusalOf(core, submit).code == model::RefusalCode::kInvalid;
  };
  EXPECT_TRUE(refused([](auto& submit) { submit.plan = nullptr; }));
  EXPECT_TRUE(refused([](auto& submit) { submit.context = nullptr; }));
  EXPECT_TRUE(refused([](auto& submit) { submit.known_durations.resize(2); }));
  EXPECT_TRUE(refused([](auto& submit) { submit.not_selected = {model::SpecIndex(1)}; }));
  EXPECT_TRUE(refused([](auto& submit) { submit.carried = {{.job = model::JobIndex(0)}}; }));
  EXPECT_TRUE(refused([](auto& submit) {
    submit.carried = {{.job = model::JobIndex(1), .result = {.status = Status::kSucceeded}}};
  }));
  EXPECT_TRUE(core.OpenRuns().empty());
}

TEST(SubmitRun, AnErrorInTheDocumentsEnvIsNamed) {
  PlanBuilder builder;
  builder.Env("LEVEL", "${{ fromJSON('{') }}");
  EngineCore core;
  const model::Refusal refusal = RefusalOf(core, SubmitOf(builder.Build()));
  EXPECT_EQ(refusal.code, model::RefusalCode::kInvalid);
  EXPECT_THAT(refusal.message, ::testing::StartsWith("env.LEVEL: "));
}

TEST(SubmitRun, APlanWithoutJobsEndsAtOnce) {
  CoreDriver driver(PlanBuilder().Build());
  driver.Submit();
  ASSERT_TRUE(driver.Ended().has_value());
  EXPECT_EQ(driver.Ended()->status, Status::kSucceeded);
}

TEST(SubmitRun, ValuesThatAreCarriedOverMustFit) {
  PlanBuilder builder;
  builder.Job("a");
  builder.Job("b").ForEach("inputs.list");
  const model::PlanRef plan = builder.Build();
  EngineCore core;
  const auto refused = [&](std::vector<model::Expansion> expanded) {
    model::SubmitRun submit = SubmitOf(plan);
    submit.expanded = std::move(expanded);
    return RefusalOf(core, submit).code == model::RefusalCode::kInvalid;
  };
  const model::Expansion good{.job = model::JobIndex(1), .values = {{"x", "1"}}};
  EXPECT_TRUE(refused({{.job = model::JobIndex(0), .values = {{"x", "1"}}}}));
  EXPECT_TRUE(refused({{.job = model::JobIndex(2), .values = {{"x", "1"}}}}));
  EXPECT_TRUE(refused({{.job = model::JobIndex(1), .values = {}}}));
  EXPECT_TRUE(refused({good, good}));
}

// ---- `for_each`

/// Why the one job of a run ended, whose list is `json`.
model::Reason EndOfList(const std::string& json) {
  PlanBuilder builder;
  builder.Job("a").ForEach("inputs.list");
  auto context = std::make_shared<model::RunContext>();
  context->inputs = {{"list", json}};
  model::SubmitRun submit = SubmitOf(builder.Build());
  submit.context = std::move(context);
  EngineCore core;
  core.Step(submit, base::InstantFromMicros(1));
  const auto explained = core.Explain(submit.run, model::JobIndex(0), base::InstantFromMicros(1));
  return explained->reasons.empty() ? model::Reason() : explained->reasons.front();
}

TEST(ForEach, MoreValuesThanARunHasJobsFailTheJob) {
  std::string json = "[0";
  for (int i = 0; i < 100'000; ++i) {
    json += ",0";
  }
  const model::Reason reason = EndOfList(json + "]");
  EXPECT_EQ(reason.code, ReasonCode::kBadExpression);
  EXPECT_THAT(reason.subject, ::testing::HasSubstr("100001 values"));
  EXPECT_THAT(reason.subject, ::testing::HasSubstr("100000 jobs"));
}

TEST(ForEach, ValuesThatAreTooLongFailTheJob) {
  const std::string half(600'000, 'x');
  EXPECT_EQ(EndOfList("[\"" + half + "\"]").code, ReasonCode::kWaitsForSlot);
  const model::Reason reason = EndOfList("[\"" + half + "\", \"" + half + "\"]");
  EXPECT_EQ(reason.code, ReasonCode::kBadExpression);
  EXPECT_THAT(reason.subject, ::testing::HasSubstr("1024 KiB"));
}

TEST(ForEach, NamesAreTheValuesOwnAndNeverTheSame) {
  PlanBuilder builder;
  builder.Job("a").ForEach("inputs.list");
  const model::PlanRef plan = builder.Build();
  auto context = std::make_shared<model::RunContext>();
  const std::string longest(80, 'l');
  context->inputs = {
      {"list", R"(["a", "a", "a~2", "", null, "x\ny", {"n": [1], "m": 5}, [], 1.5, "6", ")" +
                   longest + R"(", ")" + longest + R"(l"])"}};
  model::SubmitRun submit = SubmitOf(plan);
  submit.context = std::move(context);
  EngineCore core;
  const Decisions decisions = core.Step(submit, base::InstantFromMicros(1));
  std::vector<std::string> names;
  for (const model::NamedValue& value :
       std::get<model::JobsExpanded>(decisions.facts.at(1).body).expansion.values) {
    names.push_back(value.name);
  }
  EXPECT_THAT(names, ::testing::ElementsAre("a", "a~2", "a~2~3", "4", "5", "6", "5~7", "8", "1.5",
                                            "6~10", longest, "12"));
}

// ---- sizes

TEST(EngineCore, ReleasesAStageOfFiftyThousandBehindAnother) {
  constexpr std::uint32_t kMembers = 50'000;
  PlanBuilder builder;
  builder.Stages({"first", "second"});
  for (std::uint32_t i = 0; i < 2 * kMembers; ++i) {
    builder.Job("j" + std::to_string(i)).Stage(i < kMembers ? "first" : "second");
  }
  model::SubmitRun submit = SubmitOf(builder.Build());
  for (std::uint32_t i = 0; i < kMembers; ++i) {
    submit.carried.push_back({.job = model::JobIndex(i), .result = {.status = Status::kSucceeded}});
  }
  EngineCore core;
  const Decisions decisions = core.Step(submit, base::InstantFromMicros(1));
  const auto readied = std::count_if(
      decisions.facts.begin(), decisions.facts.end(),
      [](const model::Fact& fact) { return std::holds_alternative<model::JobReadied>(fact.body); });
  EXPECT_EQ(readied, kMembers);
}

TEST(EngineCore, AMatrixWaitsForAnotherOfTheSameSize) {
  const std::vector<std::string> values(32, "v");
  PlanBuilder builder;
  builder.Job("a").Matrix("x", values).Matrix("y", values);
  builder.Job("b").Needs({"a"}).Matrix("x", values).Matrix("y", values);
  model::SubmitRun submit = SubmitOf(builder.Build());
  for (std::uint32_t i = 0; i < 1024; ++i) {
    submit.carried.push_back({.job = model::JobIndex(i), .result = {.status = Status::kSucceeded}});
  }
  EngineCore core;
  const Decisions decisions = core.Step(submit, base::InstantFromMicros(1));
  EXPECT_EQ(decisions.facts.size(), 1U + 1024 + 1024 + 1) << "accepted, ended, readied, noted";
}

// ---- time

TEST(EngineCore, TimeDoesNotGoBack) {
  PlanBuilder builder;
  builder.Job("a");
  EngineCore core;
  core.Step(SubmitOf(builder.Build()), base::InstantFromMicros(5'000'000));
  const Decisions later = core.Step(
      model::WorkerConnected{.worker = model::WorkerId(1), .session = model::SessionId(1)},
      base::InstantFromMicros(1));
  ASSERT_FALSE(later.facts.empty());
  EXPECT_EQ(later.facts[0].at, base::InstantFromMicros(5'000'000));
}

TEST(EngineCore, TheNextDeadlineIsLaterThanNowEvenWhenOneWasMissed) {
  PlanBuilder builder;
  builder.Job("a").QueueTimeout(std::chrono::seconds(1));
  EngineCore core;
  EXPECT_FALSE(core.NextDeadline(base::InstantFromMicros(0)).has_value());
  core.Step(SubmitOf(builder.Build()), base::InstantFromMicros(0));
  const base::Instant late = base::InstantFromMicros(90'000'000);
  EXPECT_EQ(core.NextDeadline(base::InstantFromMicros(0)), base::InstantFromMicros(1'000'000));
  EXPECT_EQ(core.NextDeadline(late), late + base::Duration(1));
  const Decisions decisions = core.Step(model::DeadlinePassed(), late);
  EXPECT_EQ(decisions.facts.size(), 2U) << "the job timed out, the run ended";
}

// ---- several runs and workers

TEST(Placement, TheOldestRunGoesFirst) {
  PlanBuilder builder;
  builder.Job("a");
  builder.Job("b");
  const model::PlanRef plan = builder.Build();
  EngineCore core;
  core.Step(SubmitOf(plan, 20), base::InstantFromMicros(1));
  core.Step(SubmitOf(plan, 10), base::InstantFromMicros(2));
  const Decisions decisions = core.Step(model::WorkerConnected{.worker = model::WorkerId(1),
                                                               .session = model::SessionId(1),
                                                               .pool = "default",
                                                               .slots = 3},
                                        base::InstantFromMicros(3));
  std::vector<std::uint64_t> runs;
  for (const model::Effect& effect : decisions.effects) {
    runs.push_back(std::get<model::DispatchAttempt>(effect).assignment.lease.key.run.value());
  }
  EXPECT_THAT(runs, ::testing::ElementsAre(10, 10, 20));
}

TEST(Placement, AWorkerThatTakesLittleAheadDoesNotHoldUpOneThatTakesMore) {
  PlanBuilder builder;
  builder.Job("j").Matrix("n", {"1", "2", "3", "4"});
  CoreDriver driver(builder.Build());
  driver.Connect(1, 0, 1);
  driver.Connect(1, 8, 2);
  driver.Submit();
  EXPECT_EQ(driver.LastFacts("attempt_assigned").size(), 3U)
      << "one each, and one ahead for the second while nothing is known";
}

TEST(Placement, AWorkerWithoutSlotsGetsNothing) {
  PlanBuilder builder;
  builder.Job("a");
  CoreDriver driver(builder.Build());
  driver.Connect(0, 8);
  driver.Submit();
  EXPECT_EQ(driver.StatusOf("a"), Status::kReady);
}

// ---- Explain

TEST(Explain, NamesWhatIsUnderWayBeforeWhatOnlyWaits) {
  PlanBuilder plan;
  plan.Job("start");
  plan.Job("later").Needs({"start"});
  plan.Job("now");
  plan.Job("job").Needs({"later", "now"});
  CoreDriver driver(plan.Build());
  driver.Connect(1);
  driver.Submit();
  const auto explained = driver.core().Explain(CoreDriver::kRun, driver.Job("job"), driver.now());
  ASSERT_EQ(explained->reasons.size(), 2U);
  EXPECT_EQ(explained->reasons[0].subject, "now");
  EXPECT_EQ(explained->reasons[1].subject, "later");
}

TEST(Explain, SaysUntilWhenAJobWaits) {
  PlanBuilder plan;
  plan.Job("a").QueueTimeout(std::chrono::minutes(5));
  CoreDriver driver(plan.Build());
  driver.Submit();
  EXPECT_EQ(driver.WhyOf("a").code, ReasonCode::kWaitsForSlot);
  EXPECT_EQ(driver.WhyOf("a").until, driver.now() + std::chrono::minutes(5));
  EXPECT_EQ(driver.WhyOf("a").subject, "no worker is connected");
}

TEST(Explain, KnowsNothingOfWhatIsNotThere) {
  EngineCore core;
  EXPECT_FALSE(core.Explain(model::RunId(1), model::JobIndex(0), base::Instant()).has_value());
  PlanBuilder plan;
  plan.Job("a");
  CoreDriver driver(plan.Build());
  driver.Submit();
  EXPECT_FALSE(
      driver.core().Explain(CoreDriver::kRun, model::JobIndex(1), driver.now()).has_value());
}

// ---- expressions of jobs

TEST(Expressions, AVariableThatNoProgramTakesFailsTheJob) {
  for (const std::size_t bytes : {std::size_t{131'069}, std::size_t{131'070}}) {
    PlanBuilder plan;
    plan.Job("a");
    plan.Job("b").Needs({"a"}).Env("V", "${{ needs.a.outputs.o }}");
    CoreDriver driver(plan.Build());
    driver.Connect(1);
    driver.Submit();
    driver.Report("a", model::ReportStarted());
    driver.Report("a",
                  model::ReportEnded{
                      .outputs = {{.name = "o", .value = '"' + std::string(bytes, 'x') + '"'}}});
    const bool fits = bytes == 131'069;
    EXPECT_EQ(driver.StatusOf("b"), fits ? Status::kReady : Status::kFailed) << bytes;
  }
}

TEST(Expressions, AGroupsNameIsBounded) {
  PlanBuilder plan;
  plan.Job("a").Concurrency(std::string(513, 'x'));
  CoreDriver driver(plan.Build());
  driver.Connect(1);
  driver.Submit();
  EXPECT_EQ(driver.StatusOf("a"), Status::kFailed);
}

TEST(Expressions, ANeedsOutputsReachTheJobAndItsEnv) {
  PlanBuilder plan;
  plan.Job("a");
  plan.Job("b")
      .Needs({"a"})
      .If("needs.a.outputs.go == 'yes'")
      .Env("WHAT", "${{ needs.a.result }}!");
  CoreDriver driver(plan.Build());
  driver.Connect(1);
  driver.Submit();
  driver.Report("a", model::ReportStarted());
  const Decisions& decisions =
      driver.Report("a", model::ReportEnded{.outputs = {{.name = "go", .value = "\"yes\""}}});
  ASSERT_EQ(decisions.effects.size(), 1U);
  const auto& assignment = std::get<model::DispatchAttempt>(decisions.effects[0]).assignment;
  ASSERT_EQ(assignment.job_env.size(), 1U);
  EXPECT_EQ(assignment.job_env[0].value, "\"succeeded!\"");
  ASSERT_EQ(assignment.needs.size(), 1U);
  EXPECT_EQ(assignment.needs[0].results[0]->outputs[0].name, "go");
}

TEST(Expressions, AnErrorInEnvFailsTheJob) {
  PlanBuilder plan;
  plan.Job("a").Env("X", "${{ fromJSON('[') }}");
  CoreDriver driver(plan.Build());
  driver.Submit();
  EXPECT_EQ(driver.StatusOf("a"), Status::kFailed);
  EXPECT_EQ(driver.WhyOf("a").code, ReasonCode::kBadExpression);
}

TEST(Expressions, ACellThatFailsByItsExpressionStopsTheOthers) {
  PlanBuilder plan;
  plan.Job("a").Matrix("x", {"{", "1"}).If("fromJSON(matrix.x) == 1");
  CoreDriver driver(plan.Build());
  driver.Connect(2);
  driver.Submit();
  EXPECT_EQ(driver.StatusOf("a[{]"), Status::kFailed);
  EXPECT_EQ(driver.WhyOf("a[1]").code, ReasonCode::kFailFast);
  EXPECT_EQ(driver.Ended()->status, Status::kFailed);
}

}  // namespace
}  // namespace engine::core
