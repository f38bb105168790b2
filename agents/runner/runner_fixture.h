// SPDX-License-Identifier: Apache-2.0
// For tests: a runner on an `io_context` of its own, plans of one line, and what was reported as a
// story to compare with.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "agents/runner/fake_sandbox.h"
#include "agents/runner/runner.h"
#include "engine/base/overloaded.h"
#include "engine/model/input.h"

namespace agents::runner {

inline engine::model::Template Text(std::string text) {
  const bool has_expression = text.find("${{") != std::string::npos;
  return {.text = std::move(text), .at = {}, .has_expression = has_expression};
}

inline engine::model::StepSpec Step(std::string run) {
  engine::model::StepSpec step;
  step.run = Text(std::move(run));
  return step;
}

/// `decides_alone` as the compiler works it out.
inline engine::model::Condition If(std::string text) {
  const bool alone = text.find("always()") != std::string::npos ||
                     text.find("failure()") != std::string::npos ||
                     text.find("cancelled()") != std::string::npos;
  return {.text = std::move(text), .at = {}, .decides_alone = alone};
}

inline engine::model::JobSpec Job(std::string name, std::vector<engine::model::StepSpec> steps) {
  engine::model::JobSpec job;
  job.name = std::move(name);
  job.steps = std::move(steps);
  job.rare = std::make_unique<engine::model::RareJobSettings>();
  return job;
}

class MapSecrets : public engine::ports::SecretSource {
 public:
  std::map<std::string, std::string, std::less<>> values;
  engine::base::StatusOr<std::string> Read(std::string_view name) override {
    const auto found = values.find(name);
    return found == values.end()
               ? engine::base::StatusOr<std::string>(engine::base::NotFound("no secret {}", name))
               : found->second;
  }
};

class RunnerTest : public ::testing::Test {
 protected:
  RunnerTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "dayfly-runner-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    context_.workspace = folder_ + "/ws";
    context_.commit = "c0ffee";
    context_.branch = "main";
    std::filesystem::create_directory(folder_ + "/tmp");
  }
  ~RunnerTest() override {
    runner_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  virtual std::unique_ptr<engine::ports::Sandbox> MakeSandbox(std::uint32_t /*slot*/) {
    return std::make_unique<FakeSandbox>(io_, machine_);
  }

  /// The runner; made at the first use from `options_`.
  Runner& runner(std::uint32_t slots = 1) {
    if (runner_ == nullptr) {
      options_.folder = folder_ + "/tmp";
      options_.report = [this](engine::model::Input input) {
        sent_.push_back(std::get<engine::model::AttemptReported>(std::move(input)));
      };
      options_.secrets = &secrets_;
      for (std::uint32_t i = 0; i < slots; ++i) {
        options_.slots.push_back(MakeSandbox(i));
      }
      runner_ = std::make_unique<Runner>(io_, std::move(options_));
      EXPECT_TRUE(runner_->Open().ok());
    }
    return *runner_;
  }

  void CloseRunner() { runner_.reset(); }

  void SetPlan(std::vector<engine::model::JobSpec> specs) {
    auto plan = std::make_shared<engine::model::Plan>();
    plan->name = "test";
    plan->specs = std::move(specs);
    for (std::uint32_t i = 0; i < plan->specs.size(); ++i) {
      plan->jobs.push_back({.spec = engine::model::SpecIndex(i), .cell = {}});
    }
    plan_ = std::move(plan);
  }

  engine::model::Assignment For(std::uint32_t job, std::uint32_t attempt = 1) const {
    engine::model::Assignment assignment;
    assignment.lease = {.key = {.run = engine::model::RunId(5),
                                .job = engine::model::JobIndex(job),
                                .attempt = attempt},
                        .worker = engine::model::WorkerId(1),
                        .session = engine::model::SessionId(1)};
    assignment.plan = plan_;
    assignment.job = engine::model::JobIndex(job);
    assignment.context = std::make_shared<engine::model::RunContext>(context_);
    assignment.timeout = std::chrono::minutes(60);
    assignment.grace = std::chrono::seconds(10);
    assignment.finally_budget = std::chrono::minutes(5);
    return assignment;
  }

  engine::model::StopAttempt StopOf(std::uint32_t job, bool kill = false) const {
    return {.lease = For(job).lease,
            .kill = kill,
            .reason = {.code = kill ? engine::model::ReasonCode::kKilled
                                    : engine::model::ReasonCode::kCancelRequested,
                       .subject = "tester"},
            .grace = std::chrono::seconds(10)};
  }

  void RunUntil(const std::function<bool()>& done) {
    io_.restart();
    while (!done() && io_.run_one() > 0) {
    }
    EXPECT_TRUE(done()) << "nothing left to do";
  }
  std::size_t ended() const {
    std::size_t count = 0;
    for (const engine::model::AttemptReported& message : sent_) {
      for (const engine::model::Report& report : message.reports) {
        count += std::holds_alternative<engine::model::ReportEnded>(report) ? 1 : 0;
      }
    }
    return count;
  }
  void RunUntilEnded(std::size_t count = 1) {
    RunUntil([&] { return ended() >= count; });
  }
  /// One job of these steps, run to its end.
  void RunJob(std::vector<engine::model::StepSpec> steps) {
    std::vector<engine::model::JobSpec> jobs;
    jobs.push_back(Job("job", std::move(steps)));
    RunJob(std::move(jobs));
  }
  void RunJob(std::vector<engine::model::JobSpec> jobs) {
    SetPlan(std::move(jobs));
    runner().Dispatch(For(0));
    RunUntilEnded();
  }

  engine::model::ReportEnded Ended(std::uint32_t job = 0) const {
    for (const engine::model::AttemptReported& message : sent_) {
      for (const engine::model::Report& report : message.reports) {
        if (message.lease.key.job == engine::model::JobIndex(job) &&
            std::holds_alternative<engine::model::ReportEnded>(report)) {
          return std::get<engine::model::ReportEnded>(report);
        }
      }
    }
    ADD_FAILURE() << "job " << job << " has not ended";
    return {};
  }

  /// A line a report.
  std::vector<std::string> Story(std::uint32_t job = 0) const {
    std::vector<std::string> story;
    for (const engine::model::AttemptReported& message : sent_) {
      if (message.lease.key.job == engine::model::JobIndex(job)) {
        for (const engine::model::Report& report : message.reports) {
          story.push_back(LineOf(report));
        }
      }
    }
    return story;
  }

  static std::string LineOf(const engine::model::Report& report) {
    namespace model = engine::model;
    const auto why = [](const model::Reason& reason) {
      const std::string text = Describe(reason);
      return text.empty() ? text : ": " + text;
    };
    return std::visit(
        engine::base::Overloaded{
            [](const model::ReportStarted& started) {
              return fmt::format("started in slot {}", started.slot);
            },
            [](const model::ReportStepStarted& step) {
              return fmt::format("step {} started", step.step.value() + 1);
            },
            [&](const model::ReportStepEnded& step) {
              return fmt::format(
                  "step {} {}{}", step.step.value() + 1,
                  fmt::string_view(ToText(step.status).data(), ToText(step.status).size()),
                  why(step.reason));
            },
            [&](const model::ReportEnded& end) {
              return fmt::format(
                  "{}{}{}", fmt::string_view(ToText(end.status).data(), ToText(end.status).size()),
                  end.infra ? " (infra)" : "", why(end.reason));
            }},
        report);
  }

  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  boost::asio::io_context io_;
  std::string folder_;
  FakeMachine machine_;
  MapSecrets secrets_;
  engine::model::RunContext context_;
  engine::model::PlanRef plan_;
  RunnerOptions options_;
  std::vector<engine::model::AttemptReported> sent_;

 private:
  std::unique_ptr<Runner> runner_;
};

}  // namespace agents::runner
