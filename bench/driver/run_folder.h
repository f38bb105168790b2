// SPDX-License-Identifier: Apache-2.0
// What a finished `dayfly run` left behind and asked of the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/driver/measure.h"

namespace bench::driver {

struct DiskCost {
  std::uint64_t commits = 0;  ///< transactions in `facts.db`, those that made its tables included
  std::uint64_t bytes = 0;    ///< kept below the run's folder
};

/// The folder of the newest run below `home`; empty when there is none.
std::string NewestRunFolder(const std::string& home);

/// `fsync` and `fdatasync` calls of all processes. Runs `command` once more under strace, which
/// slows it down: nothing is timed here. Nothing when strace is not there or may not trace.
std::optional<std::uint64_t> CountFlushes(const Command& command, const std::string& scratch);

DiskCost ReadDiskCost(const std::string& run_folder);

}  // namespace bench::driver
