// SPDX-License-Identifier: Apache-2.0
// For tests: a small pipeline and the facts of a run of it, one after the other, at times that the
// test moves.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/view/board.h"

namespace apps::view {

/// `build: compile(make, install)`, `test: unit[core], unit[net]`, `deploy: ship`.
inline model::PlanRef SamplePlan() {
  auto plan = std::make_shared<model::Plan>();
  plan->name = "ci";
  for (const char* stage : {"build", "test", "deploy"}) {
    plan->stages.push_back({.name = stage, .at = {}});
  }
  const auto step = [](std::string id, std::string run) {
    model::StepSpec spec;
    spec.id = std::move(id);
    spec.run.text = std::move(run);
    return spec;
  };
  const auto job = [&](std::string name, std::uint32_t stage, std::vector<model::StepSpec> steps) {
    model::JobSpec spec;
    spec.name = std::move(name);
    spec.stage = stage;
    spec.steps = std::move(steps);
    plan->specs.push_back(std::move(spec));
  };
  job("compile", 0, {step("make", "make -j2"), step("", "make install")});
  job("unit", 1, {step("run", "./test")});
  job("ship", 2, {step("", "./ship.sh")});
  plan->specs[1].matrix = std::make_unique<model::MatrixSpec>();
  plan->specs[1].matrix->keys = {"suite"};
  plan->specs[1].matrix->first_cell = model::JobIndex(1);
  plan->specs[1].matrix->cell_count = 2;
  plan->jobs.push_back({.spec = model::SpecIndex(0), .cell = {}});
  plan->jobs.push_back({.spec = model::SpecIndex(1), .cell = {"\"core\""}});
  plan->jobs.push_back({.spec = model::SpecIndex(1), .cell = {"\"net\""}});
  plan->jobs.push_back({.spec = model::SpecIndex(2), .cell = {}});
  return plan;
}

/// One stage `all` with `count` jobs of one step each.
inline model::PlanRef WidePlan(std::uint32_t count) {
  auto plan = std::make_shared<model::Plan>();
  plan->name = "wide";
  plan->stages.push_back({.name = "all", .at = {}});
  for (std::uint32_t i = 0; i < count; ++i) {
    model::JobSpec spec;
    spec.name = "job" + std::to_string(i);
    spec.stage = 0;
    spec.steps.resize(1);
    spec.steps[0].run.text = "true";
    plan->specs.push_back(std::move(spec));
    plan->jobs.push_back({.spec = model::SpecIndex(i), .cell = {}});
  }
  return plan;
}

class SampleRun {
 public:
  static constexpr std::int64_t kStart = 1'769'862'896'000'000;  // 2026-01-31T12:34:56Z

  static model::RunId Run() { return model::RunId(0x0123456789abcdefULL); }
  static model::AttemptKey Key(std::uint32_t job, model::AttemptNumber attempt = 1) {
    return {.run = Run(), .job = model::JobIndex(job), .attempt = attempt};
  }

  base::Instant now() const { return now_; }
  SampleRun& After(base::Duration length) {
    now_ += length;
    return *this;
  }
  model::Fact At(model::FactBody body) const { return {.at = now_, .body = std::move(body)}; }

  model::Fact Accepted() const {
    model::RunAccepted fact;
    fact.run = Run();
    fact.context = std::make_shared<model::RunContext>();
    return At(std::move(fact));
  }
  model::Fact Assigned(std::uint32_t job, model::AttemptNumber attempt = 1) const {
    return At(model::AttemptAssigned{
        .lease = {.key = Key(job, attempt), .worker = model::WorkerId(1), .session = {}}});
  }
  model::Fact Started(std::uint32_t job, model::AttemptNumber attempt = 1) const {
    return At(model::AttemptStarted{.key = Key(job, attempt), .slot = 0, .deadline = {}});
  }
  model::Fact StepStarted(std::uint32_t job, std::uint32_t step,
                          model::AttemptNumber attempt = 1) const {
    return At(model::StepStarted{.key = Key(job, attempt), .step = model::StepIndex(step)});
  }
  model::Fact StepEnded(std::uint32_t job, std::uint32_t step, model::Status status,
                        model::Reason reason = {}, model::AttemptNumber attempt = 1) const {
    model::StepEnded fact;
    fact.key = Key(job, attempt);
    fact.step = model::StepIndex(step);
    fact.status = status;
    fact.reason = std::move(reason);
    return At(std::move(fact));
  }
  model::Fact AttemptEnded(std::uint32_t job, model::Status status, model::Reason reason = {},
                           model::AttemptNumber attempt = 1) const {
    model::AttemptEnded fact;
    fact.key = Key(job, attempt);
    fact.status = status;
    fact.reason = std::move(reason);
    return At(std::move(fact));
  }
  model::Fact JobEnded(std::uint32_t job, model::Status status, model::Reason reason = {}) const {
    auto result = std::make_shared<model::JobResult>();
    result->status = status;
    result->reason = std::move(reason);
    model::JobEnded fact;
    fact.run = Run();
    fact.job = model::JobIndex(job);
    fact.result = std::move(result);
    return At(std::move(fact));
  }
  model::Fact RunEnded(model::Status status, const Board& board, model::Reason reason = {}) const {
    model::RunEnded fact;
    fact.run = Run();
    fact.status = status;
    fact.reason = std::move(reason);
    fact.counts = board.counts();
    return At(std::move(fact));
  }

  static model::Reason Exit(std::int64_t code) {
    model::Reason reason;
    reason.code = model::ReasonCode::kExitCode;
    reason.detail = code;
    return reason;
  }
  static model::Reason Because(model::ReasonCode code, std::string subject = {}) {
    model::Reason reason;
    reason.code = code;
    reason.subject = std::move(subject);
    return reason;
  }

 private:
  base::Instant now_ = base::InstantFromMicros(kStart);
};

}  // namespace apps::view
