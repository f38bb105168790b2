// SPDX-License-Identifier: Apache-2.0
// Checks the five fields of a schedule. What times they mean is worked out where time zones are
// known. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace dsl {

struct CronFaultAt {
  std::string message;
  std::size_t offset = 0;
  std::size_t length = 0;
};

/// Minute, hour, day, month, weekday: `*`, numbers, ranges, lists, steps, English names of months
/// and weekdays.
std::optional<CronFaultAt> CronFault(std::string_view text);

}  // namespace dsl
