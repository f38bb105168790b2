// SPDX-License-Identifier: Apache-2.0
// What may go wrong in a simulated world, and how often. Drawn from the seed, so that some worlds
// are calm and some are mad.
#pragma once

#include <cstdint>

#include "engine/base/random.h"
#include "engine/base/time.h"

namespace tests::sim {

/// A chance in 1,000.
using PerMille = std::uint64_t;

struct Faults {
  PerMille commit_fails = 0;         ///< nothing was stored
  PerMille commit_unknown = 0;       ///< it was stored, the answer says it failed
  PerMille commit_slow = 0;          ///< takes up to 2 s
  PerMille crash_before_commit = 0;  ///< the engine dies, the batch is lost
  PerMille crash_after_commit = 0;   ///< the batch is durable, no effect was issued
  PerMille crash_after_effects = 0;  ///< effects were issued, their answers find a new engine
  PerMille message_lost = 0;         ///< sent again after a while, or found missing
  PerMille message_repeated = 0;
  PerMille worker_dies = 0;                 ///< at an attempt's step
  PerMille worker_cut_off = 0;              ///< works on, unheard, for up to a minute
  PerMille stop_ignored = 0;                ///< the worker hangs and does not obey a stop
  bool engine_takes_workers_along = false;  ///< as under `dayfly run`

  // Where agents and a server talk over a network.
  PerMille message_reordered = 0;  ///< overtaken by the next one
  PerMille stream_cut = 0;         ///< at a message; both ends learn of it
  PerMille agent_restarts = 0;     ///< killed at an attempt's step; its keepers go on
  PerMille journal_wiped = 0;      ///< of such a restart, in 1,000: it comes back without memory
  PerMille cut_is_long = 0;        ///< of such a cut, in 1,000: longer than `offline`
  PerMille agent_drains = 0;       ///< at an attempt's step it is told to end
  PerMille worker_drained = 0;     ///< for each run, somebody has a worker drained

  static Faults Draw(engine::base::Random& random) {
    Faults faults;
    const std::uint64_t madness = random.Below(4);  // 0: nothing goes wrong
    const auto draw = [&](PerMille most) {
      return madness == 0 ? 0 : random.Below(most * madness);
    };
    faults.commit_fails = draw(20);
    faults.commit_unknown = draw(20);
    faults.commit_slow = draw(15);
    faults.crash_before_commit = draw(15);
    faults.crash_after_commit = draw(15);
    faults.crash_after_effects = draw(15);
    faults.message_lost = draw(40);
    faults.message_repeated = draw(60);
    faults.worker_dies = draw(25);
    faults.worker_cut_off = draw(15);
    faults.stop_ignored = draw(50);
    faults.engine_takes_workers_along = random.OneIn(1, 2);
    faults.message_reordered = draw(10);
    faults.stream_cut = draw(15);
    faults.agent_restarts = draw(30);
    faults.journal_wiped = draw(300);
    faults.cut_is_long = draw(100);
    faults.agent_drains = draw(15);
    faults.worker_drained = 300;
    return faults;
  }

  /// The calm after the storm; only what is structural stays.
  Faults Calmed() const {
    Faults calm;
    calm.engine_takes_workers_along = engine_takes_workers_along;
    return calm;
  }
};

}  // namespace tests::sim
