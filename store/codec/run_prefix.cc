// SPDX-License-Identifier: Apache-2.0
#include "store/codec/run_prefix.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/ranges.h>

namespace store::codec {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

constexpr std::size_t kIdLength = 13;  // see `model::ToText(RunId)`

// As people write an id: capitals, and the letters that Crockford's base 32 takes for digits.
std::string Normalized(std::string_view prefix) {
  std::string out;
  for (const char c : prefix) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    out.push_back(lower == 'o' ? '0' : lower == 'i' || lower == 'l' ? '1' : lower);
  }
  return out;
}

}  // namespace

base::StatusOr<RunIdRange> RangeOfPrefix(std::string_view prefix) {
  std::string low = Normalized(prefix);
  std::string high = low;
  low.resize(kIdLength, '0');
  high.resize(kIdLength, 'z');
  const auto first = model::RunIdFromText(low);
  const auto last = model::RunIdFromText(high);
  if (prefix.empty() || prefix.size() > kIdLength || !first || !last) {
    return base::InvalidArgument("'{}' is no run id", prefix);
  }
  return RunIdRange{*first, *last};
}

base::StatusOr<ports::RunRow> OnlyRun(std::string_view prefix, std::vector<ports::RunRow> found) {
  if (found.empty()) {
    return base::NotFound("no run '{}'", prefix);
  }
  if (found.size() == 1) {
    return std::move(found.front());
  }
  constexpr std::size_t kShown = kCandidatesMax - 1;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(found.size(), kShown); ++i) {
    names.push_back(ToText(found[i].run));
  }
  return base::InvalidArgument("several runs begin with '{}': {}{}", prefix, fmt::join(names, ", "),
                               found.size() > kShown ? ", …" : "");
}

}  // namespace store::codec
