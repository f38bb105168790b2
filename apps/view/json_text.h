// SPDX-License-Identifier: Apache-2.0
// Writes JSON by hand where key order and speed are part of the interface. Invalid UTF-8 becomes
// U+FFFD, so that what is written always parses.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace apps::view {

/// Appends `text` in double quotes.
void AppendJsonString(std::string& out, std::string_view text);

/// Builds one object, member by member, in the order of the calls.
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
  void Key(std::string_view name);
  void Text(std::string_view name, std::string_view value);
  /// Null when `value` is empty.
  void TextOrNull(std::string_view name, std::string_view value);
  void Null(std::string_view name);
  void Bool(std::string_view name, bool value);
  void Number(std::string_view name, std::integral auto value) {
    Key(name);
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }
  /// `json` is put in as it is.
  void Raw(std::string_view name, std::string_view json);
  void End() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace apps::view
