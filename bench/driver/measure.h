// SPDX-License-Identifier: Apache-2.0
// Runs a command to its end and says what it took.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace bench::driver {

struct Command {
  std::vector<std::string> argv;  ///< searched in PATH
  std::vector<std::string> env;   ///< `NAME=value`, added to ours
  std::string folder;             ///< where it runs; empty: here
  std::string output;             ///< file for standard output; empty: /dev/null
  std::string errors;             ///< file for standard error; empty: ours
};

struct Measured {
  bool started = false;
  int exit_code = -1;             ///< -1: did not start, or ended by a signal
  double wall = 0;                ///< seconds
  double cpu = 0;                 ///< user and system, of all that was waited for
  std::uint64_t rss_process = 0;  ///< the largest single process, by the kernel's account
  std::uint64_t rss_tree = 0;     ///< the largest sum seen over the whole tree; 0: not sampled
};

/// `sample`: how often the tree's memory is looked at; zero: never, which disturbs nothing.
Measured Measure(const Command& command,
                 std::chrono::milliseconds sample = std::chrono::milliseconds(0));

/// As `Measure`, but says on standard error what failed, and ends the program when it did: a figure
/// of a failed run is no figure.
Measured MustRun(const Command& command,
                 std::chrono::milliseconds sample = std::chrono::milliseconds(0));

}  // namespace bench::driver
