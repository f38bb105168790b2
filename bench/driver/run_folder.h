// SPDX-License-Identifier: Apache-2.0
// What a finished `dayfly run` left behind and asked of the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/driver/measure.h"

namespace bench::driver {

struct DiskCost {
  std::uint64_t commits = 0;  ///< transactions of facts
  std::uint64_t facts = 0;
  std::uint64_t flushes = 0;  ///< fsync and fdatasync calls, of all processes of the run
  std::uint64_t bytes = 0;    ///< kept below the run's folder
};

/// The folder of the newest run below `home`; empty when there is none.
std::string NewestRunFolder(const std::string& home);

/// Runs `command` once more under strace, which slows it down: nothing is timed here. Nothing when
/// strace is not there or may not trace.
std::optional<std::uint64_t> CountFlushes(const Command& command, const std::string& scratch);

/// Commits, facts and bytes of a run; `flushes` stays 0.
DiskCost ReadDiskCost(const std::string& run_folder);

}  // namespace bench::driver
