// SPDX-License-Identifier: Apache-2.0
#include "engine/core/transitions.h"

#include <set>

#include <gtest/gtest.h>

#include "engine/core/transitions_text.h"
#include "tests/support/golden.h"

namespace engine::core {
namespace {

// Walks a table: from `start` along every row; each phase must be reached, each but `kept` left.
template <typename Machine, typename Phase>
std::set<Phase> Reachable(const Machine& machine, Phase start) {
  std::set<Phase> seen = {start};
  for (std::size_t before = 0; before != seen.size();) {
    before = seen.size();
    for (const auto& row : machine.rows()) {
      if (seen.contains(row.from)) {
        seen.insert(row.to);
      }
    }
  }
  return seen;
}

// From everywhere a way leads to `end`.
template <typename Machine, typename Phase>
void ExpectAllEndAt(const Machine& machine, const std::set<Phase>& phases, Phase end) {
  for (const Phase phase : phases) {
    EXPECT_TRUE(Reachable(machine, phase).contains(end)) << static_cast<int>(phase);
  }
}

TEST(Transitions, EveryPhaseIsReachedAndCanEnd) {
  const auto runs = Reachable(kRunMachine, RunPhase::kAbsent);
  EXPECT_EQ(runs.size(), kRunPhaseNames.size());
  ExpectAllEndAt(kRunMachine, runs, RunPhase::kAbsent);
  const auto jobs = Reachable(kJobMachine, JobPhase::kWaiting);
  EXPECT_EQ(jobs.size(), kJobPhaseNames.size());
  ExpectAllEndAt(kJobMachine, jobs, JobPhase::kEnded);
  const auto attempts = Reachable(kAttemptMachine, AttemptPhase::kNone);
  EXPECT_EQ(attempts.size(), kAttemptPhaseNames.size());
  ExpectAllEndAt(kAttemptMachine, attempts, AttemptPhase::kNone);
  const auto workers = Reachable(kWorkerMachine, WorkerPhase::kAbsent);
  EXPECT_EQ(workers.size(), kWorkerPhaseNames.size());
  ExpectAllEndAt(kWorkerMachine, workers, WorkerPhase::kLost);
}

template <typename Machine>
void ExpectTableSaysTheRows(const Machine& machine, std::size_t phases, std::size_t triggers) {
  std::size_t defined = 0;
  for (std::size_t from = 0; from < phases; ++from) {
    for (std::size_t trigger = 0; trigger < triggers; ++trigger) {
      defined += machine.CanFire(static_cast<typename Machine::Phase>(from),
                                 static_cast<typename Machine::Trigger>(trigger))
                     ? 1
                     : 0;
    }
  }
  EXPECT_EQ(defined, machine.rows().size());
  for (const auto& row : machine.rows()) {
    EXPECT_EQ(machine.Next(row.from, row.trigger), row.to);
    auto phase = row.from;
    machine.Fire(phase, row.trigger);
    EXPECT_EQ(phase, row.to);
  }
}

TEST(Transitions, WhatIsExecutedAreExactlyTheRows) {
  ExpectTableSaysTheRows(kRunMachine, kRunPhaseNames.size(), kRunTriggerNames.size());
  ExpectTableSaysTheRows(kJobMachine, kJobPhaseNames.size(), kJobTriggerNames.size());
  ExpectTableSaysTheRows(kAttemptMachine, kAttemptPhaseNames.size(), kAttemptTriggerNames.size());
  ExpectTableSaysTheRows(kWorkerMachine, kWorkerPhaseNames.size(), kWorkerTriggerNames.size());
}

TEST(Transitions, FinalPhasesAreLeftOnlyByForgetting) {
  for (const auto& row : kJobMachine.rows()) {
    EXPECT_NE(row.from, JobPhase::kEnded);
  }
  for (const auto& row : kRunMachine.rows()) {
    EXPECT_TRUE(row.from != RunPhase::kEnded || row.trigger == RunTrigger::kClosed);
  }
}

TEST(TransitionsDeathTest, AFactWithoutARowIsADefect) {
  JobPhase phase = JobPhase::kEnded;
  EXPECT_DEATH(kJobMachine.Fire(phase, JobTrigger::kReadied), "transition table");
}

TEST(Transitions, ThePageIsWhatIsExecuted) {
  tests::support::ExpectGolden(DAYFLY_SOURCE_DIR "/docs/state-machines.md", StateMachinesPage());
}

}  // namespace
}  // namespace engine::core
