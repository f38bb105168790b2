// SPDX-License-Identifier: Apache-2.0
#include "engine/placement/pool_size.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace engine::placement {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr base::Instant kNow = base::InstantFromMicros(1'000'000'000'000);

PoolWorker Coming(std::string launch, base::Duration ago) {
  return {.launch = std::move(launch),
          .phase = PoolWorkerPhase::kComing,
          .launched_at = kNow - ago,
          .idle_since = {}};
}
PoolWorker Idle(std::string launch, base::Duration idle, base::Duration age = minutes(20)) {
  return {.launch = std::move(launch),
          .phase = PoolWorkerPhase::kIdle,
          .launched_at = kNow - age,
          .idle_since = kNow - idle};
}
PoolWorker Busy(std::string launch, base::Duration age = minutes(20)) {
  return {.launch = std::move(launch),
          .phase = PoolWorkerPhase::kBusy,
          .launched_at = kNow - age,
          .idle_since = {},
          .attempts = 1};
}
PoolWorker Draining(std::string launch) {
  return {.launch = std::move(launch),
          .phase = PoolWorkerPhase::kDraining,
          .launched_at = kNow - minutes(20),
          .idle_since = {}};
}

PoolWorker Away(std::string launch, base::Duration ago, std::uint32_t attempts = 0) {
  return {.launch = std::move(launch),
          .phase = PoolWorkerPhase::kAway,
          .launched_at = kNow - minutes(20),
          .idle_since = {},
          .away_since = kNow - ago,
          .attempts = attempts};
}

/// `launch`, `drain a`, `terminate a`, each with its reason.
std::string Line(const PoolAction& action) {
  const char* names[] = {"launch", "drain", "terminate"};
  std::string line = names[static_cast<int>(action.order)];
  line += (action.launch.empty() ? "" : " " + action.launch) + ": " + action.reason;
  return line + (action.failed ? " (failed)" : "");
}

struct Case {
  const char* name;
  PoolSpec spec;
  PoolView view;
  std::uint32_t desired;
  std::vector<std::string> actions;
  std::string held_back = {};
};

const std::vector<Case>& Cases() {
  const PoolSpec two = {.min = 0, .max = 3, .slots = 2};
  const PoolSpec warm = {.min = 1, .max = 3, .slots = 2};
  const PoolSpec aged = {.min = 0, .max = 3, .slots = 2, .lifetime = minutes(60)};
  static const std::vector<Case> cases = {
      {"nothing to do, nobody there", two, {}, 0, {}},
      {"the minimum is there from the start",
       warm,
       {},
       1,
       {"launch: the pool has 1 workers at least"}},
      {"work brings workers",
       two,
       {.waiting = 3},
       2,
       {"launch: 3 attempts wait for a slot", "launch: 3 attempts wait for a slot"}},
      {"never more than the maximum",
       two,
       {.waiting = 100},
       3,
       {"launch: 100 attempts wait for a slot", "launch: 100 attempts wait for a slot",
        "launch: 100 attempts wait for a slot"}},
      {"those on their way count",
       two,
       {.waiting = 4, .workers = {Coming("a", seconds(1))}},
       2,
       {"launch: 4 attempts wait for a slot"}},
      {"those that leave do not",
       two,
       {.waiting = 1, .workers = {Draining("a")}},
       1,
       {"launch: 1 attempts wait for a slot"}},
      {"idle ones take what waits", two, {.waiting = 1, .workers = {Idle("a", seconds(1))}}, 1, {}},
      {"an idle worker stays a while", two, {.workers = {Idle("a", minutes(4))}}, 0, {}},
      {"then it leaves, down to none",
       two,
       {.workers = {Idle("a", minutes(5)), Idle("b", minutes(6))}},
       0,
       {"drain b: it was idle for 5m00s", "drain a: it was idle for 5m00s"}},
      {"down to the minimum",
       warm,
       {.workers = {Idle("a", minutes(5)), Idle("b", minutes(6))}},
       1,
       {"drain b: it was idle for 5m00s"}},
      {"busy ones stay, whatever the bounds",
       {.min = 0, .max = 1, .slots = 1},
       {.workers = {Busy("a"), Busy("b")}},
       1,
       {}},
      {"idle ones above the maximum leave at once",
       {.min = 0, .max = 1, .slots = 1},
       {.workers = {Busy("a"), Idle("b", seconds(0))}},
       1,
       {"drain b: the pool may have 1 workers at most"}},
      {"an old idle worker is replaced",
       aged,
       {.waiting = 1, .workers = {Idle("a", seconds(1), minutes(61))}},
       1,
       {"drain a: its lifetime of 1h00m is over", "launch: 1 attempts wait for a slot"}},
      {"an old busy worker finishes first",
       aged,
       {.workers = {Busy("a", minutes(61))}},
       0,
       {"drain a: its lifetime of 1h00m is over"}},
      {"who does not join is given up and tried again",
       two,
       {.waiting = 1, .workers = {Coming("a", minutes(2))}},
       1,
       {"terminate a: it did not join within 2m00s (failed)",
        "launch: 1 attempts wait for a slot"}},
      {"who is away is waited for",
       two,
       {.waiting = 1, .workers = {Away("a", seconds(59))}},
       1,
       {}},
      {"then it is ended and replaced",
       two,
       {.waiting = 1, .workers = {Away("a", seconds(60))}},
       1,
       {"terminate a: nothing was heard of it for 1m00s after it was lost",
        "launch: 1 attempts wait for a slot"}},
      {"also when there is no work",
       two,
       {.workers = {Away("a", seconds(60))}},
       0,
       {"terminate a: nothing was heard of it for 1m00s after it was lost"}},
      {"one that may run what nobody else may is left alone, and others do the rest",
       two,
       {.waiting = 1, .workers = {Away("a", minutes(10), 1)}},
       1,
       {"launch: 1 attempts wait for a slot"}},
      {"three times",
       two,
       {.waiting = 1,
        .workers = {Coming("c", minutes(2))},
        .failed_launches = 2,
        .last_failure = kNow - minutes(2)},
       1,
       {"terminate c: it did not join within 2m00s (failed)"},
       "3 launches in a row have failed"},
      {"then seldom",
       two,
       {.waiting = 1, .failed_launches = 3, .last_failure = kNow - minutes(4)},
       1,
       {},
       "3 launches in a row have failed"},
      {"one at a time",
       two,
       {.waiting = 6, .failed_launches = 3, .last_failure = kNow - minutes(5)},
       3,
       {"launch: 6 attempts wait for a slot"},
       "3 launches in a row have failed"},
  };
  return cases;
}

TEST(PoolSize, Table) {
  for (Case each : Cases()) {
    SCOPED_TRACE(each.name);
    each.view.now = kNow;
    const PoolPlan plan = PlanPool(each.spec, each.view);
    EXPECT_EQ(plan.desired, each.desired);
    std::vector<std::string> lines;
    for (const PoolAction& action : plan.actions) {
      lines.push_back(Line(action));
    }
    EXPECT_EQ(lines, each.actions);
    EXPECT_EQ(plan.held_back, each.held_back);
  }
}

TEST(PoolSize, SaysWhoseReturnItWaitsFor) {
  const PoolView view = {.now = kNow, .waiting = 1, .workers = {Away("a", seconds(50))}};
  const PoolPlan plan = PlanPool({}, view);
  EXPECT_EQ(plan.awaited,
            "nothing is heard of worker a: unless it is back by 13:46:50 UTC it is ended and "
            "replaced");
  EXPECT_EQ(plan.look_again, kNow + seconds(10));
}

TEST(PoolSize, StartsNobodyForWhatItsWorkersCouldNotRun) {
  const PoolPlan plan = PlanPool({}, {.now = kNow, .unfit = 2});
  EXPECT_TRUE(plan.actions.empty());
  EXPECT_EQ(plan.passed_over,
            "none is started for 2 jobs: what they ask for no worker of this pool offers");
}

TEST(PoolSize, OneThatWouldLeaveAnywayIsNotWaitedFor) {
  PoolWorker leaving = Away("a", seconds(1));
  leaving.draining = true;
  const PoolPlan plan = PlanPool({}, {.now = kNow, .waiting = 1, .workers = {leaving}});
  ASSERT_EQ(plan.actions.size(), 1U);
  EXPECT_EQ(Line(plan.actions[0]), "launch: 1 attempts wait for a slot");
}

TEST(PoolSize, LooksAgainWhenTheNextDeadlinePasses) {
  const PoolSpec spec = {.min = 0, .max = 3, .slots = 1};
  PoolView view = {.now = kNow, .workers = {Idle("a", minutes(3)), Coming("b", seconds(30))}};
  EXPECT_EQ(PlanPool(spec, view).look_again, kNow + seconds(90)) << "when b should have joined";
  view.workers = {Busy("a")};
  EXPECT_FALSE(PlanPool(spec, view).look_again.has_value());
}

}  // namespace
}  // namespace engine::placement
