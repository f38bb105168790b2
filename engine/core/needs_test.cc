// SPDX-License-Identifier: Apache-2.0
// The table of needs, cell by cell, through the core: `need` ends as given, `job` needs it.
#include "engine/core/needs.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/core_driver.h"
#include "tests/support/plan_builder.h"

namespace engine::core {
namespace {

using model::NeedOn;
using model::Reason;
using model::ReasonCode;
using model::Status;
using tests::support::CoreDriver;
using tests::support::PlanBuilder;

struct End {
  const char* name;
  Status status;
  Reason reason;
  bool success, failure, end;  ///< what it satisfies
  bool failed;                 ///< `failure()` sees it
};

const End kEnds[] = {
    {"Succeeded", Status::kSucceeded, {}, true, false, true, false},
    {"Warned", Status::kWarned, {.code = ReasonCode::kTolerated}, true, false, true, false},
    {"Failed", Status::kFailed, {.code = ReasonCode::kExitCode}, false, true, true, true},
    {"TimedOut", Status::kTimedOut, {.code = ReasonCode::kJobTimeout}, false, true, true, true},
    {"Cancelled", Status::kCancelled, {.code = ReasonCode::kRunEnding}, false, false, true, false},
    {"SkippedByIf",
     Status::kSkipped,
     {.code = ReasonCode::kConditionFalse},
     true,
     false,
     true,
     false},
    {"SkippedByOn", Status::kSkipped, {.code = ReasonCode::kFilteredOut}, true, false, true, false},
    {"NotSelected", Status::kSkipped, {.code = ReasonCode::kNotSelected}, true, false, true, false},
    {"NeedNotMet", Status::kSkipped, {.code = ReasonCode::kNeedNotMet}, false, false, true, false},
    {"NeedNotMetAfterFailure",
     Status::kSkipped,
     {.code = ReasonCode::kNeedNotMet, .detail = 1},
     false,
     false,
     true,
     true},
    {"SkippedByFailFast",
     Status::kSkipped,
     {.code = ReasonCode::kFailFast},
     false,
     false,
     true,
     true},
};

class NeedsTable : public ::testing::TestWithParam<End> {
 protected:
  // The status of `job` after its need ended as the parameter says.
  static Status StatusAfter(PlanBuilder& plan) {
    CoreDriver driver(plan.Build());
    driver.Submit(
        {.carried = {{.job = model::JobIndex(0),
                      .result = {.status = GetParam().status, .reason = GetParam().reason}}}});
    return driver.StatusOf("job");
  }
  static bool Runs(NeedOn on) {
    PlanBuilder plan;
    plan.Job("need");
    plan.Job("job").Need("need", on);
    const Status status = StatusAfter(plan);
    EXPECT_TRUE(status == Status::kReady || status == Status::kSkipped) << ToText(status);
    return status == Status::kReady;
  }
  static bool RunsWith(const char* condition) {
    PlanBuilder plan;
    plan.Job("need");
    plan.Job("job").Needs({"need"}).If(condition);
    return StatusAfter(plan) == Status::kReady;
  }
};

TEST_P(NeedsTable, SatisfiesSuccess) {
  EXPECT_EQ(Runs(NeedOn::kSuccess), GetParam().success);
}
TEST_P(NeedsTable, SatisfiesFailure) {
  EXPECT_EQ(Runs(NeedOn::kFailure), GetParam().failure);
}
TEST_P(NeedsTable, SatisfiesEnd) {
  EXPECT_EQ(Runs(NeedOn::kEnd), GetParam().end);
}

TEST_P(NeedsTable, AStageAsksForSuccess) {
  PlanBuilder plan;
  plan.Stages({"first", "second"});
  plan.Job("need").Stage("first");
  plan.Job("job").Stage("second");
  EXPECT_EQ(StatusAfter(plan) == Status::kReady, GetParam().success);
}

TEST_P(NeedsTable, AlwaysRunsWhateverTheNeed) {
  EXPECT_TRUE(RunsWith("always()"));
}
TEST_P(NeedsTable, FailureRunsAfterAFailure) {
  EXPECT_EQ(RunsWith("failure()"), GetParam().failed);
}
TEST_P(NeedsTable, CancelledAsksForTheRunNotTheNeed) {
  EXPECT_FALSE(RunsWith("cancelled()"));
}
TEST_P(NeedsTable, AnOrdinaryConditionAsksForSuccessToo) {
  EXPECT_EQ(RunsWith("1 == 1"), GetParam().success);
}
TEST_P(NeedsTable, DecidingAloneItMayAskForSuccessAsPartOfMore) {
  EXPECT_EQ(RunsWith("success() || failure()"), GetParam().success || GetParam().failed);
}

TEST_P(NeedsTable, AnOptionalNeedIsIgnoredOnlyWhenItIsNotSelected) {
  PlanBuilder plan;
  plan.Job("need");
  plan.Job("job").Need("need", NeedOn::kFailure, /*optional=*/true);
  const bool left_out = GetParam().reason.code == ReasonCode::kNotSelected;
  EXPECT_EQ(StatusAfter(plan) == Status::kReady, GetParam().failure || left_out);
}

INSTANTIATE_TEST_SUITE_P(Ends, NeedsTable, ::testing::ValuesIn(kEnds),
                         [](const auto& param) { return std::string(param.param.name); });

// Why a job was skipped decides what those that need it may do.
TEST(Needs, AJobForFailuresThatIsNotNeededHoldsUpNothing) {
  PlanBuilder plan;
  plan.Job("build");
  plan.Job("rollback").Need("build", NeedOn::kFailure);
  plan.Job("report").Needs({"rollback"});
  CoreDriver driver(plan.Build());
  driver.Connect(1);
  driver.Submit();
  driver.Finish("build");
  EXPECT_EQ(driver.StatusOf("rollback"), Status::kSkipped);
  EXPECT_EQ(driver.WhyOf("rollback").code, ReasonCode::kFilteredOut);
  EXPECT_TRUE(driver.LeaseOf("report").has_value());
}

TEST(Needs, ASkipForAFailedNeedGoesOnDownTheChain) {
  PlanBuilder plan;
  plan.Job("a");
  plan.Job("b").Needs({"a"});
  plan.Job("c").Needs({"b"});
  plan.Job("tidy").Need("c", NeedOn::kEnd).If("failure()");
  CoreDriver driver(plan.Build());
  driver.Connect(1);
  driver.Submit();
  driver.FinishWithExit("a", 1);
  EXPECT_EQ(driver.WhyOf("b").subject, "a");
  EXPECT_EQ(driver.WhyOf("c").code, ReasonCode::kNeedNotMet);
  EXPECT_EQ(driver.WhyOf("c").subject, "b");
  EXPECT_TRUE(driver.LeaseOf("tidy").has_value()) << "a failed before it";
}

TEST(Needs, ANeedThatIsNotMetGoesBeforeOneThatFiltered) {
  PlanBuilder plan;
  plan.Job("well");
  plan.Job("failed");
  plan.Job("job").Need("well", NeedOn::kFailure).Need("failed", NeedOn::kSuccess);
  CoreDriver driver(plan.Build());
  driver.Connect(2);
  driver.Submit();
  driver.FinishWithExit("failed", 1);
  driver.Finish("well");
  EXPECT_EQ(driver.WhyOf("job").code, ReasonCode::kNeedNotMet);
  EXPECT_EQ(driver.WhyOf("job").subject, "failed");
}

TEST(Needs, AStageNamesTheFirstJobThatEndedBadly) {
  PlanBuilder plan;
  plan.Stages({"one", "two", "three"});
  plan.Job("a").Stage("one");
  plan.Job("b").Stage("one");
  plan.Job("c").Stage("two").Needs({});
  plan.Job("job").Stage("three");
  CoreDriver driver(plan.Build());
  driver.Connect(3);
  driver.Submit();
  driver.Finish("c");
  driver.FinishWithExit("b", 1);
  EXPECT_EQ(driver.StatusOf("job"), Status::kWaiting);
  driver.Finish("a");
  EXPECT_EQ(driver.WhyOf("job").subject, "b");
}

struct CellEnds {
  const char* name;
  std::vector<Status> cells;
  bool success, failure, end;
  Status aggregate;
};

class MatrixNeeds : public ::testing::TestWithParam<CellEnds> {
 protected:
  static Status StatusAfter(NeedOn on, const char* condition) {
    PlanBuilder plan;
    plan.Job("need").Matrix("x", {"1", "2", "3"}).FailFast(false);
    plan.Job("job").Need("need", on).If(condition);
    CoreDriver driver(plan.Build());
    model::SubmitRun submit;
    for (std::uint32_t i = 0; i < GetParam().cells.size(); ++i) {
      submit.carried.push_back(
          {.job = model::JobIndex(i), .result = {.status = GetParam().cells[i]}});
    }
    driver.Submit(std::move(submit));
    return driver.StatusOf("job");
  }
};

TEST_P(MatrixNeeds, AggregatesItsCells) {
  EXPECT_EQ(StatusAfter(NeedOn::kSuccess, "") == Status::kReady, GetParam().success);
  EXPECT_EQ(StatusAfter(NeedOn::kFailure, "") == Status::kReady, GetParam().failure);
  EXPECT_EQ(StatusAfter(NeedOn::kEnd, "") == Status::kReady, GetParam().end);
  const std::string asks =
      "always() && needs.need.result == '" + std::string(ToText(GetParam().aggregate)) + "'";
  const bool ended = GetParam().end;
  EXPECT_EQ(StatusAfter(NeedOn::kEnd, asks.c_str()) == Status::kReady, ended);
}

constexpr Status kOk = Status::kSucceeded;
const CellEnds kCellEnds[] = {
    {"AllWell", {kOk, kOk, kOk}, true, false, true, Status::kSucceeded},
    {"OneWarned", {kOk, Status::kWarned, kOk}, true, false, true, Status::kWarned},
    {"OneFailed", {kOk, Status::kFailed, kOk}, false, true, true, Status::kFailed},
    {"OneTimedOut", {Status::kTimedOut, kOk, kOk}, false, true, true, Status::kTimedOut},
    {"OneCancelled", {kOk, kOk, Status::kCancelled}, false, false, true, Status::kCancelled},
    {"OneStillOpen", {kOk, Status::kFailed}, false, false, false, Status::kWaiting},
};
INSTANTIATE_TEST_SUITE_P(Cells, MatrixNeeds, ::testing::ValuesIn(kCellEnds),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace engine::core
