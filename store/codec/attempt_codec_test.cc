// SPDX-License-Identifier: Apache-2.0
#include "store/codec/attempt_codec.h"

#include <gtest/gtest.h>

#include "store/codec/plan_codec.h"
#include "tests/support/sample_facts.h"

namespace store::codec {
namespace {

namespace base = engine::base;
namespace model = engine::model;

model::Lease SampleLease() {
  return {.key = {.run = model::RunId(7), .job = model::JobIndex(3), .attempt = 2},
          .worker = model::WorkerId(1ULL << 60),
          .session = model::SessionId(9)};
}

model::JobResult SampleResult() {
  model::JobResult result;
  result.status = model::Status::kWarned;
  result.reason = {.code = model::ReasonCode::kExitCode, .detail = 4, .subject = "x"};
  result.outputs = {{"a", "\"1\""}};
  result.spilled = {{"large", base::Sha256("l"), 70'000}};
  result.artifacts = {{"bin", base::Sha256("m"), 12, 3}};
  return result;
}

model::Assignment SampleAssignment(base::Random& random) {
  model::Assignment assignment;
  assignment.lease = SampleLease();
  auto plan = std::make_shared<model::Plan>(tests::support::AnyPlan(random));
  while (plan->jobs.empty()) {
    *plan = tests::support::AnyPlan(random);
  }
  assignment.plan = plan;
  assignment.job = model::JobIndex(static_cast<std::uint32_t>(plan->jobs.size() - 1));
  assignment.context =
      std::make_shared<const model::RunContext>(tests::support::AnyContext(random));
  assignment.run_env =
      std::make_shared<const std::vector<model::NamedValue>>(1, model::NamedValue{"E", "\"v\""});
  assignment.job_env = {{"J", "\"w\""}};
  assignment.needs = {{.spec = model::SpecIndex(0),
                       .status = model::Status::kWarned,
                       .results = {std::make_shared<const model::JobResult>(SampleResult())}}};
  assignment.timeout = std::chrono::minutes(3);
  assignment.grace = std::chrono::seconds(4);
  assignment.finally_budget = std::chrono::seconds(5);
  assignment.run_cancelled = true;
  return assignment;
}

TEST(AttemptCodec, AssignmentsComeBackWhole) {
  base::Random random(1);
  for (int i = 0; i < 20; ++i) {
    const model::Assignment in = SampleAssignment(random);
    const auto out = DecodeAssignment(EncodeAssignment(in));
    ASSERT_TRUE(out.ok()) << out.status();
    EXPECT_EQ(out->lease, in.lease);
    EXPECT_EQ(DigestOf(*out->plan), DigestOf(*in.plan));
    EXPECT_EQ(out->job, in.job);
    EXPECT_EQ(*out->context, *in.context);
    EXPECT_EQ(*out->run_env, *in.run_env);
    EXPECT_EQ(out->job_env, in.job_env);
    ASSERT_EQ(out->needs.size(), 1U);
    EXPECT_EQ(*out->needs[0].results[0], SampleResult());
    EXPECT_EQ(out->timeout, in.timeout);
    EXPECT_EQ(out->grace, in.grace);
    EXPECT_EQ(out->finally_budget, in.finally_budget);
    EXPECT_TRUE(out->run_cancelled);
  }
}

TEST(AttemptCodec, ReportsComeBackWhole) {
  model::ReportStepEnded step;
  step.step = model::StepIndex(4);
  step.status = model::Status::kFailed;
  step.reason = {.code = model::ReasonCode::kSignal, .detail = 9};
  step.took = std::chrono::milliseconds(12);
  step.log = {.ranges = {{1, 2, 3}, {4, 5, 6}}, .checksum = 77, .truncated = true, .lost_bytes = 8};
  model::ReportEnded ended;
  ended.status = model::Status::kTimedOut;
  ended.infra = true;
  ended.reason = {.code = model::ReasonCode::kJobTimeout};
  ended.took = std::chrono::seconds(2);
  ended.outputs = SampleResult().outputs;
  ended.spilled = SampleResult().spilled;
  ended.artifacts = SampleResult().artifacts;
  const model::AttemptReported in{
      SampleLease(),
      {model::ReportStarted{5}, model::ReportStepStarted{model::StepIndex(4)}, step, ended}};
  const auto out = DecodeReport(EncodeReport(in));
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_EQ(out->lease, in.lease);
  ASSERT_EQ(out->reports.size(), 4U);
  EXPECT_EQ(std::get<model::ReportStarted>(out->reports[0]).slot, 5U);
  const auto& step_out = std::get<model::ReportStepEnded>(out->reports[2]);
  EXPECT_EQ(step_out.log, step.log);
  EXPECT_EQ(step_out.reason, step.reason);
  EXPECT_EQ(step_out.took, step.took);
  const auto& end_out = std::get<model::ReportEnded>(out->reports[3]);
  EXPECT_EQ(end_out.status, ended.status);
  EXPECT_TRUE(end_out.infra);
  EXPECT_EQ(end_out.outputs, ended.outputs);
  EXPECT_EQ(end_out.spilled, ended.spilled);
  EXPECT_EQ(end_out.artifacts, ended.artifacts);
}

TEST(AttemptCodec, DamageIsTold) {
  base::Random random(2);
  const std::string bytes = EncodeAssignment(SampleAssignment(random));
  EXPECT_FALSE(DecodeAssignment(bytes.substr(0, bytes.size() / 2)).ok());
  EXPECT_FALSE(DecodeAssignment("").ok());
  EXPECT_FALSE(DecodeReport("\xff\xff").ok());
}

}  // namespace
}  // namespace store::codec
