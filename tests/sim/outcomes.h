// SPDX-License-Identifier: Apache-2.0
// What each attempt would do if left alone: a function of the seed and the attempt's name, so that
// it does not depend on who runs it, when, or how often it is asked.
#pragma once

#include <cstdint>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"

namespace tests::sim {

struct StepOutcome {
  engine::base::Duration takes{0};
  int exit_code = 0;
};

inline StepOutcome OutcomeOf(std::uint64_t seed, const engine::model::AttemptKey& key,
                             std::uint32_t step) {
  const std::uint64_t name = engine::base::Mix64(key.run.value() ^ engine::base::Mix64(seed)) ^
                             (static_cast<std::uint64_t>(key.job.value()) << 32) ^
                             (static_cast<std::uint64_t>(key.attempt) << 8) ^ step;
  engine::base::Random random(engine::base::Mix64(name));
  StepOutcome outcome;
  // Mostly short, now and then longer than a drawn timeout.
  outcome.takes =
      std::chrono::milliseconds(random.OneIn(1, 20) ? random.Below(8000) : random.Below(400));
  outcome.exit_code = random.OneIn(1, 8) ? static_cast<int>(1 + random.Below(3)) : 0;
  return outcome;
}

}  // namespace tests::sim
