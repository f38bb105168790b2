// SPDX-License-Identifier: Apache-2.0
// What a finished `dayfly run` left behind and asked of the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/driver/measure.h"

namespace bench::driver {

struct RunCost {
  std::uint64_t facts = 0;
  std::uint64_t commits = 0;
  std::uint64_t store_bytes = 0;       ///< written to the store's files
  std::uint64_t log_bytes = 0;         ///< of steps' output
  std::uint64_t first_attempt_us = 0;  ///< from the start of the process
};

/// The folder of the newest run below `home`; empty when there is none.
std::string NewestRunFolder(const std::string& home);

/// `fsync` and `fdatasync` calls of all processes. Runs `command` once more under strace, which
/// slows it down: nothing is timed here. Nothing when strace is not there or may not trace.
std::optional<std::uint64_t> CountFlushes(const Command& command, const std::string& scratch);

/// Runs `command` once more with `--stats`. Nothing when it failed or printed none.
std::optional<RunCost> MeasureRunCost(const Command& command, const std::string& scratch);

}  // namespace bench::driver
