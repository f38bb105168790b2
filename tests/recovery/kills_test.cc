// SPDX-License-Identifier: Apache-2.0
// Real kills under load, judged. The seed is printed; DAYFLY_KILLS_SEED plays one again, as far as
// processes can be played again.
#include "tests/recovery/kills.h"

#include <chrono>
#include <cstdlib>
#include <iostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tests::recovery {
namespace {

std::uint64_t Seed() {
  const char* given = std::getenv("DAYFLY_KILLS_SEED");
  const std::uint64_t seed =
      given != nullptr
          ? std::strtoull(given, nullptr, 10)
          : static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count() /
                                       1000 % 1'000'000);
  std::cout << "DAYFLY_KILLS_SEED=" << seed << "\n";
  return seed;
}

TEST(Kills, LoseAndDoubleNothing) {
  const KillsOutcome outcome = RunKills({.seed = Seed(), .kills = 20});
  EXPECT_THAT(outcome.findings, testing::IsEmpty());
  std::cout << outcome.runs << " runs, " << outcome.facts << " facts, " << outcome.attempts_lost
            << " attempts lost\n";
}

TEST(RollingRestart, RepeatsNoAttempt) {
  const KillsOutcome outcome = RunRollingRestarts(/*rounds=*/2);
  EXPECT_THAT(outcome.findings, testing::IsEmpty());
  EXPECT_EQ(outcome.attempts_lost, 0U);
}

}  // namespace
}  // namespace tests::recovery
