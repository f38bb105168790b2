// SPDX-License-Identifier: Apache-2.0
// Any input in any state is answered: random plans, random inputs, most of them out of place. The
// driver checks replay, snapshot, deadlines and outstanding orders after every step.
#include <array>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"
#include "engine/core/state.h"
#include "engine/core/stepper.h"
#include "tests/support/core_driver.h"
#include "tests/support/effort.h"
#include "tests/support/plan_builder.h"

namespace engine::core {
namespace {

using model::JobIndex;
using model::Status;
using std::chrono::seconds;
using tests::support::CoreDriver;
using tests::support::JobBuilder;
using tests::support::PlanBuilder;

constexpr std::uint32_t kJobs = 12;

void Decorate(JobBuilder& job, base::Random& random) {
  constexpr std::array kConditions = {
      "", "", "", "always()", "failure()", "cancelled()", "1 == 2", "branch == 'main'"};
  job.If(kConditions[random.Below(kConditions.size())]);
  job.Run("true").RetryMax(static_cast<std::uint32_t>(random.Below(3)));
  job.Priority(static_cast<std::int32_t>(random.Below(3)));
  if (random.OneIn(1, 4)) {
    job.Matrix("x", {"1", "2", "3"}).FailFast(random.OneIn(1, 2));
    job.MaxParallel(static_cast<std::uint32_t>(random.Below(3)));
  }
  if (random.OneIn(1, 5)) {
    job.AllowFailure();
  }
  if (random.OneIn(1, 4)) {
    job.Finally("tidy");
  }
  if (random.OneIn(1, 4)) {
    job.Place({.labels = {{"kind", random.OneIn(1, 2) ? "odd" : ""}},
               .resources = {.cpu_millis = 500 * random.Below(5)}});
  }
  constexpr std::array kGroups = {"x", "y", "${{ run.pipeline }}"};
  constexpr std::array kPolicies = {model::GroupPolicy::kQueue, model::GroupPolicy::kNewest,
                                    model::GroupPolicy::kCancelRunning,
                                    model::GroupPolicy::kReject};
  for (const char* group : kGroups) {
    if (random.OneIn(1, 5)) {
      job.Concurrency(group, static_cast<std::uint32_t>(1 + random.Below(2)),
                      kPolicies[random.Below(kPolicies.size())]);
    }
  }
  if (random.OneIn(1, 8)) {
    job.Environment("x").Delay(seconds(random.Below(5)));
  }
  if (random.OneIn(1, 6)) {
    job.Approval({.timeout = seconds(random.Below(300))});
  }
  if (random.OneIn(1, 6)) {
    job.Once(random.OneIn(1, 2) ? "check" : "");
  }
  if (random.OneIn(1, 4)) {
    job.QueueTimeout(seconds(random.Below(100))).Timeout(seconds(random.Below(100)));
  }
}

model::PlanRef RandomPlan(base::Random& random) {
  PlanBuilder plan;
  if (random.OneIn(1, 2)) {
    plan.Concurrency("x", 1, static_cast<model::GroupPolicy>(random.Below(4)));
  }
  plan.Stages({"a", "b", "c"});
  constexpr std::array<std::string_view, 3> kStages = {"a", "b", "c"};
  constexpr std::array kOn = {model::NeedOn::kSuccess, model::NeedOn::kSuccess,
                              model::NeedOn::kFailure, model::NeedOn::kEnd};
  for (std::uint32_t i = 0; i < kJobs; ++i) {
    JobBuilder job = plan.Job("j" + std::to_string(i));
    Decorate(job, random);
    if (random.OneIn(1, 2)) {
      job.Stage(kStages[i * 3 / kJobs]);
    }
    for (std::uint64_t need = 0; i > 0 && need < random.Below(3); ++need) {
      job.Need("j" + std::to_string(random.Below(i)), kOn[random.Below(kOn.size())],
               random.OneIn(1, 4));
    }
  }
  return plan.Build();
}

class RandomWalk {
 public:
  explicit RandomWalk(std::uint64_t seed) : random_(seed), driver_(RandomPlan(random_)) {}

  void Go(int steps) {
    for (int i = 0; i < steps; ++i) {
      driver_.Step(RandomInput());
      CheckFacts();
      CheckGroups();
      if (random_.OneIn(1, 6)) {
        driver_.Advance(seconds(random_.Below(40)));
      }
    }
    Drain();
  }

 private:
  model::Input RandomInput();
  model::Lease RandomLease();
  model::Report RandomReport();
  model::WorkerConnected Connect();
  void CheckFacts();
  void CheckGroups();
  void Drain();

  model::WorkerId RandomWorker() { return model::WorkerId(1 + random_.Below(3)); }
  model::SessionId RandomSession() { return model::SessionId(1 + random_.Below(3)); }
  Status RandomStatus() { return static_cast<Status>(random_.Below(model::kStatusCount)); }

  base::Random random_;
  CoreDriver driver_;
  std::size_t checked_ = 0;  ///< facts looked at
  std::set<std::uint32_t> ended_;
};

model::WorkerOffer Offer(bool odd, std::uint64_t cpu_millis) {
  model::WorkerOffer offer;
  if (odd) {
    offer.labels = {{"kind", "odd"}};
  }
  offer.resources.cpu_millis = cpu_millis;
  return offer;
}

model::WorkerConnected RandomWalk::Connect() {
  return {.worker = RandomWorker(),
          .session = RandomSession(),
          .pool = "default",
          .slots = static_cast<std::uint32_t>(random_.Below(4)),
          .ahead_max = static_cast<std::uint32_t>(random_.Below(3)),
          .owner_restarted = random_.OneIn(1, 3),
          .offer = Offer(random_.OneIn(1, 2), 1000 * random_.Below(4)),
          .alone = random_.OneIn(1, 6)};
}

// Often the lease of a live attempt, sometimes with something changed, sometimes nonsense.
model::Lease RandomWalk::RandomLease() {
  model::Lease lease{.key = {.run = CoreDriver::kRun,
                             .job = JobIndex(static_cast<std::uint32_t>(random_.Below(40))),
                             .attempt = static_cast<std::uint32_t>(random_.Below(4))},
                     .worker = RandomWorker(),
                     .session = RandomSession()};
  const RunState* run = driver_.core().state().FindRun(CoreDriver::kRun);
  if (run == nullptr) {
    return lease;
  }
  for (std::size_t tries = 0; tries < run->jobs.size(); ++tries) {
    const JobIndex job(static_cast<std::uint32_t>(random_.Below(run->jobs.size())));
    if (run->job(job).attempt_phase != AttemptPhase::kNone) {
      lease = LeaseOf(*run, job);
      break;
    }
  }
  if (random_.OneIn(1, 10)) {
    lease.key.attempt += 1;
  }
  if (random_.OneIn(1, 10)) {
    lease.session = RandomSession();
  }
  return lease;
}

model::Report RandomWalk::RandomReport() {
  const model::StepIndex step(static_cast<std::uint32_t>(random_.Below(3)));
  switch (random_.Below(4)) {
    case 0:
      return model::ReportStarted{.slot = 1};
    case 1:
      return model::ReportStepStarted{.step = step};
    case 2:
      return model::ReportStepEnded{.step = step, .status = RandomStatus()};
    default:
      return model::ReportEnded{.status = RandomStatus(),
                                .infra = random_.OneIn(1, 4),
                                .took = base::Duration(random_.Below(10'000))};
  }
}

model::Input RandomWalk::RandomInput() {
  switch (random_.Below(20)) {
    case 0:
    case 1: {
      model::SubmitRun submit{.run = model::RunId(1 + random_.Below(2)),
                              .plan = driver_.plan_ref(),
                              .context = std::make_shared<const model::RunContext>()};
      submit.idempotency_key = random_.OneIn(1, 2) ? "key" : "";
      return submit;
    }
    case 2:
      return model::CancelRun{.run = model::RunId(random_.Below(3)), .kill = random_.OneIn(1, 5)};
    case 3:
      return model::CloseRun{.run = model::RunId(random_.Below(3))};
    case 4:
    case 5:
      return Connect();
    case 6:
      return model::WorkerSuspected{.worker = RandomWorker(), .session = RandomSession()};
    case 7:
      return model::WorkerReturned{.worker = RandomWorker(), .session = RandomSession()};
    case 8:
      return model::WorkerSilent{.worker = RandomWorker(), .session = RandomSession()};
    case 9:
      return model::WorkerGone{
          .worker = RandomWorker(), .session = RandomSession(), .cause = "killed"};
    case 10:
      return model::DeadlinePassed();
    case 11:
    case 12:
      return model::DecideApproval{.run = model::RunId(1 + random_.Below(2)),
                                   .job = JobIndex(static_cast<std::uint32_t>(random_.Below(40))),
                                   .approve = random_.OneIn(3, 4),
                                   .by = "somebody",
                                   .inputs = {}};
    default: {
      model::AttemptReported reported{.lease = RandomLease(), .reports = {}};
      for (std::uint64_t i = 0; i < 1 + random_.Below(3); ++i) {
        reported.reports.push_back(RandomReport());
      }
      return reported;
    }
  }
}

// A job ends once, and never while something it needs is open.
void RandomWalk::CheckFacts() {
  for (; checked_ < driver_.facts().size(); ++checked_) {
    const model::Fact& fact = driver_.facts()[checked_];
    if (const auto* ended = std::get_if<model::JobEnded>(&fact.body)) {
      const std::uint64_t key = ended->run.value() * 1000 + ended->job.value();
      EXPECT_TRUE(ended_.insert(static_cast<std::uint32_t>(key)).second) << ToText(fact);
    } else if (const auto* closed = std::get_if<model::RunClosed>(&fact.body)) {
      std::erase_if(ended_, [&](std::uint32_t key) { return key / 1000 == closed->run.value(); });
    } else if (const auto* readied = std::get_if<model::JobReadied>(&fact.body)) {
      const RunState* run = driver_.core().state().FindRun(readied->run);
      EXPECT_TRUE(run == nullptr || run->node_of(run->spec_of(readied->job)).open_needs == 0);
    }
  }
}

// Nobody is in a group without room, and nobody waits who could enter.
void RandomWalk::CheckGroups() {
  const placement::Groups& groups = driver_.core().state().groups;
  for (const auto& [ticket, claimant] : groups.claimants()) {
    EXPECT_FALSE(groups.MayEnter(ticket)) << "somebody waits before an open door";
    for (const model::GroupClaim& claim : claimant.claims) {
      if (claimant.holds) {
        // Those that entered after it saw it there.
        EXPECT_LE(groups.Of(claim.group).holding.size(), 2U);
      }
    }
  }
}

// Once nothing goes wrong any more, every run ends.
void RandomWalk::Drain() {
  driver_.Step(model::WorkerConnected{.worker = model::WorkerId(9),
                                      .session = model::SessionId(1),
                                      .pool = "default",
                                      .slots = 4,
                                      .offer = Offer(true, 4000)});
  for (int rounds = 0; rounds < 500; ++rounds) {
    CheckGroups();
    bool open = false;
    for (const model::RunId id : driver_.core().OpenRuns()) {
      const RunState* run = driver_.core().state().FindRun(id);
      open = open || run->is_open();
      for (std::uint32_t i = 0; i < run->jobs.size(); ++i) {
        const JobState& job = run->jobs[i];
        if (job.phase == JobPhase::kAsking) {
          driver_.Step(model::DecideApproval{
              .run = id, .job = JobIndex(i), .approve = true, .by = "somebody", .inputs = {}});
          CheckFacts();
        } else if (job.attempt_phase != AttemptPhase::kNone &&
                   job.worker->phase != WorkerPhase::kLost) {
          driver_.Step(
              model::AttemptReported{.lease = LeaseOf(*run, JobIndex(i)),
                                     .reports = {model::ReportStarted(), model::ReportEnded()}});
          CheckFacts();
        }
      }
    }
    if (!open) {
      return;
    }
    driver_.Advance(seconds(60));
    CheckFacts();
  }
  FAIL() << "a run does not end";
}

class AnyInputs : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(AnyInputs, AreAnsweredAndRunsEnd) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(GetParam() * 100 + seed);
    RandomWalk walk(GetParam() * 100 + seed);
    walk.Go(150);
    if (HasFailure()) {
      return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyInputs,
                         ::testing::Range<std::uint64_t>(0, tests::support::kSanitized ? 2 : 10));

}  // namespace
}  // namespace engine::core
