// SPDX-License-Identifier: Apache-2.0
#include "tests/support/core_driver.h"

#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

#include "engine/base/check.h"
#include "engine/core/state.h"
#include "engine/core/state_text.h"
#include "engine/core/stepper.h"

namespace tests::support {
namespace {

namespace base = engine::base;
namespace core = engine::core;
namespace model = engine::model;

std::string TextOf(const core::EngineCore& core) {
  return core::StateText(core.state());
}

std::size_t OrdersNotAnswered(const core::State& state) {
  std::size_t count = 0;
  for (const auto& [id, worker] : state.workers) {
    count += worker->draining.has_value() ? 1 : 0;
  }
  for (const auto& [id, run] : state.runs) {
    for (const core::JobState& job : run->jobs) {
      switch (job.attempt_phase) {
        case core::AttemptPhase::kNone:
        case core::AttemptPhase::kRunning:
          break;
        case core::AttemptPhase::kUnheard:  // an order stands only where somebody may hear it
          count += job.worker->phase != core::WorkerPhase::kLost && job.detail != nullptr &&
                           job.detail->stop.has_value()
                       ? 1
                       : 0;
          break;
        case core::AttemptPhase::kAssigned:
        case core::AttemptPhase::kRecalled:
        case core::AttemptPhase::kStopping:
        case core::AttemptPhase::kKilling:
          ++count;
      }
    }
  }
  return count;
}

}  // namespace

CoreDriver::CoreDriver(model::PlanRef plan) : plan_(std::move(plan)) {}

const core::Decisions& CoreDriver::Step(const model::Input& input) {
  last_ = core_.Step(input, now_);
  for (const model::Fact& fact : last_.facts) {
    const bool accepts = std::holds_alternative<model::RunAccepted>(fact.body);
    replayed_.Apply(fact, accepts ? plan_ : nullptr);
    facts_.push_back(fact);
  }
  CheckReplay();
  CheckOutstanding();
  return last_;
}

void CoreDriver::CheckReplay() {
  const std::string text = TextOf(core_);
  EXPECT_EQ(text, TextOf(replayed_)) << "replaying the facts gives another state";
  core::EngineCore loaded;
  for (const model::Fact& fact : core_.TakeSnapshot().facts) {
    loaded.Apply(fact, plan_);
  }
  EXPECT_EQ(text, TextOf(loaded)) << "the snapshot gives another state";
}

void CoreDriver::CheckOutstanding() {
  EXPECT_EQ(core_.Outstanding().size(), OrdersNotAnswered(core_.state()));
}

void CoreDriver::Advance(base::Duration by) {
  const base::Instant end = now_ + by;
  while (true) {
    const std::optional<base::Instant> next = core_.NextDeadline(now_);
    if (!next.has_value() || *next > end) {
      break;
    }
    EXPECT_GT(*next, now_);
    now_ = *next;
    Step(model::DeadlinePassed());
    const core::State& state = core_.state();
    EXPECT_TRUE(state.deadlines.empty() || state.deadlines.top().at > now_);
  }
  now_ = end;
}

const core::Decisions& CoreDriver::Submit(model::SubmitRun extra) {
  extra.run = kRun;
  extra.plan = plan_;
  if (extra.context == nullptr) {
    extra.context = std::make_shared<const model::RunContext>();
  }
  return Step(extra);
}

const core::Decisions& CoreDriver::Connect(std::uint32_t slots, std::uint32_t ahead_max,
                                           std::uint64_t worker, std::uint64_t session) {
  return Step(model::WorkerConnected{.worker = model::WorkerId(worker),
                                     .session = model::SessionId(session),
                                     .pool = std::string(model::kDefaultPool),
                                     .slots = slots,
                                     .ahead_max = ahead_max});
}

const core::Decisions& CoreDriver::Cancel(bool kill) {
  return Step(model::CancelRun{.run = kRun, .kill = kill, .by = "somebody"});
}

const core::Decisions& CoreDriver::Report(std::string_view job, model::Report report) {
  const std::optional<model::Lease> lease = LeaseOf(job);
  CHECK_MSG(lease.has_value(), "a test reports of a job that has no live attempt");
  return Step(model::AttemptReported{.lease = *lease, .reports = {std::move(report)}});
}

const core::Decisions& CoreDriver::Finish(std::string_view job, model::Status status,
                                          model::Reason reason) {
  const std::optional<model::Lease> lease = LeaseOf(job);
  CHECK_MSG(lease.has_value(), "a test finishes a job that has no live attempt");
  model::AttemptReported reported{.lease = *lease, .reports = {}};
  if (core_.state().FindRun(kRun)->job(Job(job)).phase == core::JobPhase::kPlaced) {
    reported.reports.emplace_back(model::ReportStarted());
  }
  reported.reports.emplace_back(model::ReportEnded{
      .status = status, .reason = std::move(reason), .took = base::Duration(1000)});
  return Step(reported);
}

const core::Decisions& CoreDriver::FinishWithExit(std::string_view job, std::int32_t exit_code) {
  return Finish(job, model::Status::kFailed,
                {.code = model::ReasonCode::kExitCode, .detail = exit_code});
}

const model::Plan& CoreDriver::plan(model::RunId run) const {
  const core::RunState* found = core_.state().FindRun(run);
  return found == nullptr ? *plan_ : found->plan();
}

model::JobIndex CoreDriver::Job(std::string_view name) const {
  const std::optional<model::JobIndex> job = model::FindJob(plan(), name);
  CHECK_MSG(job.has_value(), "a test names a job that is not in its plan");
  return *job;
}

model::Status CoreDriver::StatusOf(std::string_view job) const {
  const auto explained = core_.Explain(kRun, Job(job), now_);
  CHECK(explained.has_value());
  return explained->status;
}

model::Reason CoreDriver::WhyOf(std::string_view job) const {
  const auto explained = core_.Explain(kRun, Job(job), now_);
  CHECK(explained.has_value());
  return explained->reasons.empty() ? model::Reason() : explained->reasons.front();
}

std::optional<model::Lease> CoreDriver::LeaseOf(std::string_view job) const {
  return LeaseOf(kRun, Job(job));
}

std::optional<model::Lease> CoreDriver::LeaseOf(model::RunId id, model::JobIndex job) const {
  const core::RunState* run = core_.state().FindRun(id);
  if (run == nullptr || run->job(job).attempt_phase == core::AttemptPhase::kNone) {
    return std::nullopt;
  }
  return core::LeaseOf(*run, job);
}

std::optional<model::RunEnded> CoreDriver::Ended() const {
  const core::RunState* run = core_.state().FindRun(kRun);
  return run == nullptr ? std::nullopt : run->ended;
}

std::vector<std::string> CoreDriver::LastFacts(std::string_view prefix) const {
  std::vector<std::string> texts;
  for (const model::Fact& fact : last_.facts) {
    std::string text = ToText(fact);
    if (text.starts_with(prefix)) {
      texts.push_back(std::move(text));
    }
  }
  return texts;
}

}  // namespace tests::support
