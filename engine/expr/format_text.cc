// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/format_text.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "engine/expr/limits.h"
#include "engine/expr/utf8.h"

namespace engine::expr {
namespace {

// At a single '{'. Reads `{12}` and leaves `format` after it; on an error says what is wrong.
std::string ReadIndex(std::string_view& format, std::size_t values, std::size_t& index) {
  const std::size_t close = format.find('}');
  if (close == std::string_view::npos) {
    return "'{' is not closed";
  }
  const std::string_view digits = format.substr(1, close - 1);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  const bool number = !digits.empty() && digits.front() >= '0' && digits.front() <= '9';
  if (number && read.ptr != digits.data() + digits.size() && *read.ptr == ':') {
    return fmt::format("'{}' has a format specifier; there are none",
                       Excerpt(format.substr(0, close + 1)));
  }
  if (!number || read.ptr != digits.data() + digits.size()) {
    return fmt::format("'{}' holds no index", Excerpt(format.substr(0, close + 1)));
  }
  if (read.ec != std::errc() || index >= values) {
    return fmt::format("'{{{}}}' has no value: {} {} given", Excerpt(digits), values,
                       values == 1 ? "is" : "are");
  }
  format.remove_prefix(close + 1);
  return {};
}

}  // namespace

FormattedText FormatText(std::string_view format, std::span<const Value> values) {
  FormattedText result;
  while (!format.empty() && !result.too_long) {
    const std::size_t brace = std::min(format.find_first_of("{}"), format.size());
    result.text += format.substr(0, brace);
    format.remove_prefix(brace);
    if (format.empty()) {
      break;
    }
    if (format.size() > 1 && format[1] == format[0]) {
      result.text += format[0];
      format.remove_prefix(2);
    } else if (format[0] == '}') {
      result.error = "'}' without a '{' before it";
      return result;
    } else {
      std::size_t index = 0;
      result.error = ReadIndex(format, values.size(), index);
      if (!result.error.empty()) {
        return result;
      }
      result.text += values[index].ToDisplay();
    }
    result.too_long = result.text.size() > kStringBytesMax;
  }
  return result;
}

}  // namespace engine::expr
