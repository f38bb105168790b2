// SPDX-License-Identifier: Apache-2.0
// A process and all it started, as /proc shows them.
#pragma once

#include <cstdint>
#include <sys/types.h>
#include <vector>

namespace bench::driver {

/// `root` and its descendants that are alive now.
std::vector<pid_t> Descendants(pid_t root);

/// Resident bytes of a process; 0 when it is gone.
std::uint64_t ResidentBytes(pid_t pid);

/// Sum of `ResidentBytes` over the tree. Pages that two share count twice: an upper bound.
std::uint64_t TreeResidentBytes(pid_t root);

}  // namespace bench::driver
