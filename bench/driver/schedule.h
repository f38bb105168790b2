// SPDX-License-Identifier: Apache-2.0
// List schedules without any overhead: what a perfect runner would need.
#pragma once

#include <cstddef>
#include <vector>

#include "bench/driver/jobs_file.h"

namespace bench::driver {

enum class Order {
  kLongestPathFirst,  ///< of the ready jobs the one with the longest remaining path
  kFirstReady,        ///< first in, first out; those that become ready together by position
};

/// The instant the last job ends, in seconds. A worker is never idle while a job is ready.
double Makespan(const std::vector<SleepJob>& jobs, std::size_t workers, Order order);

/// No schedule can be shorter: the longest path, or all work shared out evenly.
double LowerBound(const std::vector<SleepJob>& jobs, std::size_t workers);

}  // namespace bench::driver
