// SPDX-License-Identifier: Apache-2.0
// Time as the core sees it: UTC microseconds that somebody else read from a clock. Nothing here
// reads one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace engine::base {

using Duration = std::chrono::microseconds;

/// Only names the time line of `Instant` (UTC, Unix epoch); it has no `now`, on purpose.
struct UtcTimeline;
using Instant = std::chrono::time_point<UtcTimeline, Duration>;

constexpr Instant InstantFromMicros(std::int64_t micros) {
  return Instant(Duration(micros));
}
constexpr std::int64_t ToMicros(Instant at) {
  return at.time_since_epoch().count();
}

/// RFC 3339 in UTC with microseconds: `2026-01-31T12:34:56.000001Z`.
std::string FormatInstant(Instant at);

/// Short form for people: `0.3s`, `12s`, `3m05s`, `2h07m`, `4d02h`.
std::string FormatDuration(Duration length);

/// Reads `90s`, `10m`, `1h30m`, `7d`, `250ms`, or a bare number of seconds; nothing on anything
/// else, on a negative number, and on more than 10 years.
std::optional<Duration> ParseDuration(std::string_view text);

}  // namespace engine::base
