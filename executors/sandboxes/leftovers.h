// SPDX-License-Identifier: Apache-2.0
// What a run that was killed left behind: keepers, commands, cgroups, workspace layers. Cleared
// away before the run is resumed, so that nothing of the dead works beside its successor.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "engine/base/status.h"

namespace executors::sandboxes {

struct Leftovers {
  std::uint32_t processes = 0;  ///< killed
  std::uint32_t cgroups = 0;    ///< removed
};

/// Kills every process of the run (its cgroups, and whatever carries its mark in the environment),
/// waits until they are gone, and removes their cgroups and layers. The caller holds the run's
/// lock. `DeadlineExceeded` names a process that would not die.
engine::base::StatusOr<Leftovers> ReapLeftovers(const std::string& run_folder);

/// The same, sparing the slots in `spared`, whose keepers go on.
engine::base::StatusOr<Leftovers> ReapLeftoversBut(const std::string& run_folder,
                                                   const std::set<std::uint32_t>& spared);

/// The same for one slot of a run whose keeper died.
engine::base::StatusOr<Leftovers> ReapSlotLeftovers(const std::string& run_folder,
                                                    std::uint32_t slot);

}  // namespace executors::sandboxes
