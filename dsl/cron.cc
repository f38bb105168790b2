// SPDX-License-Identifier: Apache-2.0
#include "dsl/cron.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace dsl {
namespace {

constexpr std::string_view kMonths[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                        "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::string_view kWeekdays[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct CronField {
  std::string_view name;
  int min;
  int max;
  std::span<const std::string_view> words;
};
const CronField kFields[] = {{"minute", 0, 59, {}},
                             {"hour", 0, 23, {}},
                             {"day", 1, 31, {}},
                             {"month", 1, 12, kMonths},
                             {"weekday", 0, 7, kWeekdays}};

std::optional<int> Number(std::string_view text) {
  int value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && stop == text.data() + text.size() && text[0] != '-';
  return whole ? std::optional(value) : std::nullopt;
}

std::optional<int> ValueOf(std::string_view text, const CronField& field) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  const auto word = std::find(field.words.begin(), field.words.end(), upper);
  if (word != field.words.end()) {
    return field.min + static_cast<int>(word - field.words.begin());
  }
  const std::optional<int> number = text.empty() ? std::nullopt : Number(text);
  return number && *number >= field.min && *number <= field.max ? number : std::nullopt;
}

/// `*`, `5`, `1-5`, each with an optional `/2`.
bool PartIsGood(std::string_view part, const CronField& field) {
  const std::size_t slash = part.find('/');
  if (slash != std::string_view::npos) {
    const std::string_view step = part.substr(slash + 1);
    const std::optional<int> number = step.empty() ? std::nullopt : Number(step);
    if (!number || *number < 1 || *number > field.max) {
      return false;
    }
    part = part.substr(0, slash);
  }
  if (part == "*") {
    return true;
  }
  const std::size_t dash = part.find('-');
  if (dash == std::string_view::npos) {
    return ValueOf(part, field).has_value();
  }
  const std::optional<int> first = ValueOf(part.substr(0, dash), field);
  const std::optional<int> last = ValueOf(part.substr(dash + 1), field);
  return first && last && *first <= *last;
}

bool FieldIsGood(std::string_view text, const CronField& field) {
  for (;;) {
    const std::size_t comma = text.find(',');
    if (!PartIsGood(text.substr(0, comma), field)) {
      return false;
    }
    if (comma == std::string_view::npos) {
      return true;
    }
    text.remove_prefix(comma + 1);
  }
}

/// Offset and text of each word.
std::vector<std::pair<std::size_t, std::string_view>> WordsOf(std::string_view text) {
  std::vector<std::pair<std::size_t, std::string_view>> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) {
      words.emplace_back(at, text.substr(at, end - at));
    }
    at = end + 1;
  }
  return words;
}

}  // namespace

std::optional<CronFaultAt> CronFault(std::string_view text) {
  const auto words = WordsOf(text);
  if (words.size() != std::size(kFields)) {
    return CronFaultAt{fmt::format("a schedule has 5 fields, this one has {}", words.size()), 0,
                       text.size()};
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const CronField& field = kFields[i];
    if (!FieldIsGood(words[i].second, field)) {
      return CronFaultAt{fmt::format("`{}` is no {} ({} to {})", words[i].second, field.name,
                                     field.min, field.max),
                         words[i].first, words[i].second.size()};
    }
  }
  return std::nullopt;
}

}  // namespace dsl
