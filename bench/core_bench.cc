// SPDX-License-Identifier: Apache-2.0
// W7: the core alone. One run of many jobs in stages on many slots, some attempts failing once and
// retried; no store, no processes. Prints inputs and facts a second, `Step` and `Apply` timed, and
// memory a job.
//   core_bench [--jobs N] [--stages N] [--workers N] [--slots N] [--retries PERCENT] [--json]
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <malloc.h>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/base/random.h"
#include "engine/core/core.h"

namespace {

namespace base = engine::base;
namespace core = engine::core;
namespace model = engine::model;

struct Options {
  std::uint32_t jobs = 100'000;
  std::uint32_t stages = 10;
  std::uint32_t workers = 100;
  std::uint32_t slots = 10;
  std::uint32_t retries_percent = 5;
  bool json = false;
};

constexpr model::RunId kRun{1};
constexpr base::Instant kStart = base::InstantFromMicros(1'700'000'000'000'000);

model::PlanRef MakePlan(const Options& options) {
  auto plan = std::make_shared<model::Plan>();
  plan->name = "w7";
  for (std::uint32_t stage = 0; stage < options.stages; ++stage) {
    plan->stages.push_back({.name = fmt::format("stage{}", stage), .at = {}});
  }
  plan->specs.reserve(options.jobs);
  for (std::uint32_t i = 0; i < options.jobs; ++i) {
    model::JobSpec& spec = plan->specs.emplace_back();
    spec.name = fmt::format("job{}", i);
    spec.stage = static_cast<std::uint32_t>(std::uint64_t{i} * options.stages / options.jobs);
    model::StepSpec step;
    step.run.text = "true";
    spec.steps.push_back(std::move(step));
    spec.rare = std::make_unique<model::RareJobSettings>();
    spec.rare->retry.max = 1;
    plan->jobs.push_back({.spec = model::SpecIndex(i), .cell = {}});
  }
  return plan;
}

/// Times only what the core does. Keeping the facts for the replay costs memory and caches, so the
/// pass that is timed does without; both passes make the same facts.
class Driver {
 public:
  Driver(const Options& options, bool keep_facts) : options_(options), keep_facts_(keep_facts) {}

  void Run(const model::PlanRef& plan) {
    for (std::uint32_t i = 1; i <= options_.workers; ++i) {
      Step(model::WorkerConnected{.worker = model::WorkerId(i),
                                  .session = model::SessionId(1),
                                  .pool = "default",
                                  .slots = options_.slots});
    }
    Step(model::SubmitRun{.run = kRun,
                          .plan = plan,
                          .digest = {},
                          .context = std::make_shared<const model::RunContext>(),
                          .known_durations = {},
                          .not_selected = {},
                          .carried = {},
                          .idempotency_key = {}});
    while (!ended_) {
      ServeOne();
    }
  }

  std::vector<model::Fact> TakeFacts() { return std::move(facts_); }
  std::uint64_t inputs() const { return inputs_; }
  double seconds() const { return std::chrono::duration<double>(busy_).count(); }

 private:
  struct Live {
    model::Lease lease;
    bool started = false;
  };

  // Two inputs an attempt: it began; its one step and itself ended.
  void ServeOne() {
    now_ += base::Duration(20);
    const auto due = core_.NextDeadline(now_);
    CHECK_MSG(due.has_value() || !live_.empty(), "the run can not go on");
    if (live_.empty()) {
      now_ = *due;
      return Step(model::DeadlinePassed());
    }
    if (due.has_value() && *due <= now_ + base::Duration(1)) {
      now_ = *due;
      Step(model::DeadlinePassed());
    }
    Live next = live_.front();
    live_.pop_front();
    if (!next.started) {
      next.started = true;
      live_.push_back(next);
      return Step(model::AttemptReported{.lease = next.lease, .reports = {model::ReportStarted()}});
    }
    Step(EndOf(next.lease));
  }

  model::AttemptReported EndOf(const model::Lease& lease) {
    const bool fails = lease.key.attempt == 1 && random_.OneIn(options_.retries_percent, 100);
    const model::Status status = fails ? model::Status::kFailed : model::Status::kSucceeded;
    const model::Reason reason = fails ? model::Reason{.code = model::ReasonCode::kExitCode,
                                                       .detail = 1,
                                                       .until = {},
                                                       .subject = {}}
                                       : model::Reason();
    return {.lease = lease,
            .reports = {model::ReportStepStarted(),
                        model::ReportStepEnded{.step = {},
                                               .status = status,
                                               .reason = reason,
                                               .took = base::Duration(900),
                                               .log = {}},
                        model::ReportEnded{.status = status,
                                           .infra = false,
                                           .reason = reason,
                                           .took = base::Duration(1000),
                                           .outputs = {},
                                           .artifacts = {}}}};
  }

  void Step(const model::Input& input) {
    const auto begin = std::chrono::steady_clock::now();
    core::Decisions decisions = core_.Step(input, now_);
    busy_ += std::chrono::steady_clock::now() - begin;
    ++inputs_;
    for (const model::Effect& effect : decisions.effects) {
      live_.push_back({.lease = std::get<model::DispatchAttempt>(effect).assignment.lease});
    }
    for (model::Fact& fact : decisions.facts) {
      ended_ = ended_ || std::holds_alternative<model::RunEnded>(fact.body);
      if (keep_facts_) {
        facts_.push_back(std::move(fact));
      }
    }
    CHECK(decisions.refused.empty());
  }

  Options options_;
  bool keep_facts_;
  core::EngineCore core_;
  base::Random random_{7};
  base::Instant now_ = kStart;
  std::deque<Live> live_;
  std::vector<model::Fact> facts_;
  std::chrono::steady_clock::duration busy_{0};
  std::uint64_t inputs_ = 0;
  bool ended_ = false;
};

/// Of this thread, so that what else runs on the machine does not count.
double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

struct ReplayFigures {
  double seconds = 0;
  double bytes_a_job = 0;  ///< most that the state held
};

ReplayFigures Replay(const std::vector<model::Fact>& facts, const model::PlanRef& plan,
                     std::uint32_t jobs) {
  const std::size_t before = mallinfo2().uordblks;
  std::size_t most = 0;
  core::EngineCore core;
  std::chrono::steady_clock::duration busy{0};
  constexpr std::size_t kPart = 20'000;
  for (std::size_t i = 0; i < facts.size(); i += kPart) {
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t k = i; k < facts.size() && k < i + kPart; ++k) {
      core.Apply(facts[k], plan);
    }
    busy += std::chrono::steady_clock::now() - begin;
    most = std::max<std::size_t>(most, mallinfo2().uordblks);
  }
  return {.seconds = std::chrono::duration<double>(busy).count(),
          .bytes_a_job = static_cast<double>(most - before) / jobs};
}

std::uint32_t NumberAfter(int argc, char** argv, const char* name, std::uint32_t otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) {
      return static_cast<std::uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
    }
  }
  return otherwise;
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  options.jobs = NumberAfter(argc, argv, "--jobs", options.jobs);
  options.stages = NumberAfter(argc, argv, "--stages", options.stages);
  options.workers = NumberAfter(argc, argv, "--workers", options.workers);
  options.slots = NumberAfter(argc, argv, "--slots", options.slots);
  options.retries_percent = NumberAfter(argc, argv, "--retries", options.retries_percent);
  for (int i = 1; i < argc; ++i) {
    options.json = options.json || std::strcmp(argv[i], "--json") == 0;
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  const model::PlanRef plan = MakePlan(options);
  Driver driver(options, false);
  const double cpu_before = CpuSeconds();
  driver.Run(plan);
  const double cpu = CpuSeconds() - cpu_before;
  Driver keeper(options, true);
  keeper.Run(plan);
  const std::vector<model::Fact> facts = keeper.TakeFacts();
  const ReplayFigures replay = Replay(facts, plan, options.jobs);
  const auto inputs = static_cast<double>(driver.inputs());
  const auto fact_count = static_cast<double>(facts.size());
  if (options.json) {
    fmt::print(
        "{{\"inputs\":{},\"facts\":{},\"step_seconds\":{:.4f},\"inputs_per_second\":{:.0f},"
        "\"facts_per_second\":{:.0f},\"cpu_seconds\":{:.4f},\"apply_seconds\":{:.4f},\"applied_per_"
        "second\":{:.0f},"
        "\"bytes_per_job\":{:.0f}}}\n",
        driver.inputs(), facts.size(), driver.seconds(), inputs / driver.seconds(),
        fact_count / driver.seconds(), cpu, replay.seconds, fact_count / replay.seconds,
        replay.bytes_a_job);
    return 0;
  }
  fmt::print("{} jobs in {} stages on {} x {} slots, {} % retried\n", options.jobs, options.stages,
             options.workers, options.slots, options.retries_percent);
  fmt::print("Step:   {:.0f} inputs ({:.0f} facts) in {:.3f} s: {:.0f} inputs/s, {:.0f} facts/s\n",
             inputs, fact_count, driver.seconds(), inputs / driver.seconds(),
             fact_count / driver.seconds());
  fmt::print("        {:.3f} s of CPU with the bench's own driver: {:.0f} inputs/s\n", cpu,
             inputs / cpu);
  fmt::print("Apply:  {:.0f} facts in {:.3f} s: {:.0f} facts/s\n", fact_count, replay.seconds,
             fact_count / replay.seconds);
  fmt::print("state:  {:.0f} bytes a job, {:.2f} facts a job\n", replay.bytes_a_job,
             fact_count / options.jobs);
  return 0;
}
