// SPDX-License-Identifier: Apache-2.0
#include "engine/base/time.h"

#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace engine::base {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kLongest = 10LL * 366 * 24 * 3600 * kSecond;

struct Unit {
  std::string_view name;
  std::int64_t micros;
};
constexpr std::array<Unit, 6> kUnits = {{{"ms", kSecond / 1000},
                                         {"us", 1},
                                         {"s", kSecond},
                                         {"m", 60 * kSecond},
                                         {"h", 3600 * kSecond},
                                         {"d", 24 * 3600 * kSecond}}};

const Unit* TakeUnit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (text.starts_with(unit.name)) {
      text.remove_prefix(unit.name.size());
      return &unit;
    }
  }
  return nullptr;
}

// Digits with an optional fraction, scaled by whoever knows the unit.
struct Number {
  std::int64_t whole = 0;
  double fraction = 0;
};

std::optional<Number> TakeNumber(std::string_view& text) {
  Number number;
  std::size_t digits = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    number.whole = number.whole * 10 + (text[0] - '0');
    if (number.whole > kLongest) {
      return std::nullopt;
    }
    text.remove_prefix(1);
    ++digits;
  }
  if (digits == 0) {
    return std::nullopt;
  }
  if (text.size() >= 2 && text[0] == '.' && text[1] >= '0' && text[1] <= '9') {
    text.remove_prefix(1);
    for (double scale = 0.1; !text.empty() && text[0] >= '0' && text[0] <= '9'; scale /= 10) {
      number.fraction += scale * (text[0] - '0');
      text.remove_prefix(1);
    }
  }
  return number;
}

// Days since the epoch to a civil date; Howard Hinnant's "chrono-compatible low-level date
// algorithms".
struct CivilDate {
  std::int64_t year;
  unsigned month;
  unsigned day;
};

CivilDate CivilFromDays(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0), month,
          day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

}  // namespace

std::string FormatInstant(Instant at) {
  constexpr std::int64_t kDay = 24 * 3600 * kSecond;
  const std::int64_t micros = ToMicros(at);
  std::int64_t days = micros / kDay;
  std::int64_t rest = micros % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  const CivilDate date = CivilFromDays(days);
  const std::int64_t seconds = rest / kSecond;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", date.year, date.month, date.day,
                     seconds / 3600, seconds / 60 % 60, seconds % 60, rest % kSecond);
}

std::string FormatDuration(Duration length) {
  const std::int64_t micros = length.count();
  const std::int64_t seconds = micros / kSecond;
  if (seconds < 10) {
    return fmt::format("{}.{}s", seconds, micros % kSecond / (kSecond / 10));
  }
  if (seconds < 60) {
    return fmt::format("{}s", seconds);
  }
  if (seconds < 3600) {
    return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  }
  if (seconds < 24 * 3600) {
    return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
  }
  return fmt::format("{}d{:02}h", seconds / (24 * 3600), seconds / 3600 % 24);
}

std::optional<Duration> ParseDuration(std::string_view text) {
  double total = 0;
  bool any_unit = false;
  do {
    const std::optional<Number> number = TakeNumber(text);
    if (!number) {
      return std::nullopt;
    }
    const bool bare = text.empty() && !any_unit;
    const Unit* unit = bare ? &kUnits[2] : TakeUnit(text);
    if (unit == nullptr) {
      return std::nullopt;
    }
    any_unit = true;
    total +=
        (static_cast<double>(number->whole) + number->fraction) * static_cast<double>(unit->micros);
    if (total > static_cast<double>(kLongest)) {
      return std::nullopt;
    }
  } while (!text.empty());
  return Duration(std::llround(total));
}

}  // namespace engine::base
