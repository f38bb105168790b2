// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/number.h"

#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace engine::expr {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr std::string_view kSpace = " \t\n\r\f\v";

std::string_view Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

int DigitValue(char c) {
  if (IsDigit(c)) {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

double ParseDigits(std::string_view digits, int base) {
  double value = 0;
  for (const char c : digits) {
    const int digit = DigitValue(c);
    if (digit >= base) {
      return kNaN;
    }
    value = value * base + digit;
  }
  return digits.empty() ? kNaN : value;
}

// Of a well-formed decimal that is out of a double's range: too large rather than too small?
bool IsHuge(std::string_view text) {
  const std::size_t e = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, e);
  int exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    const bool negative = digits.front() == '-';
    if (negative || digits.front() == '+') {
      digits.remove_prefix(1);
    }
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (read.ec == std::errc::result_out_of_range) {
      return !negative;
    }
    exponent = negative ? -exponent : exponent;
  }
  const std::size_t first = mantissa.find_first_of("123456789");
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  return static_cast<double>(point) - static_cast<double>(first) + exponent > 0;
}

double ParseDecimal(std::string_view text) {
  if (text.empty() || !(IsDigit(text.front()) || text.front() == '.')) {
    return kNaN;  // `from_chars` would also read "inf" and "nan".
  }
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ptr != text.data() + text.size() || read.ec == std::errc::invalid_argument) {
    return kNaN;
  }
  if (read.ec == std::errc::result_out_of_range) {
    return IsHuge(text) ? kInfinity : 0;
  }
  return value;
}

}  // namespace

double ParseNumber(std::string_view text) {
  text = Trimmed(text);
  if (text.empty()) {
    return 0;
  }
  if (text.starts_with("0x")) {
    return ParseDigits(text.substr(2), 16);
  }
  if (text.starts_with("0o")) {
    return ParseDigits(text.substr(2), 8);
  }
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') {
    text.remove_prefix(1);
  }
  const double value = text == "Infinity" ? kInfinity : ParseDecimal(text);
  return negative ? -value : value;
}

std::string DisplayNumber(double value) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "Infinity" : "-Infinity";
  }
  return value == 0 ? "0" : fmt::format("{:.15G}", value);
}

std::string ExactNumber(double value) {
  std::string text = DisplayNumber(value);
  if (std::isfinite(value) && ParseNumber(text) != value) {
    text = fmt::format("{:.17G}", value);
  }
  return text;
}

}  // namespace engine::expr
