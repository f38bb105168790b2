// SPDX-License-Identifier: Apache-2.0
#include "apps/view/json_text.h"

#include <iterator>

#include "apps/view/utf8.h"

namespace apps::view {
namespace {

void AppendEscaped(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
  }
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text[0]);
    if (c >= 0x80) {
      const CodePoint point = TakeCodePoint(text);
      out += point.valid ? point.bytes : std::string_view("\xEF\xBF\xBD");
      continue;
    }
    if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
      AppendEscaped(out, c);
    } else {
      out += static_cast<char>(c);
    }
    text.remove_prefix(1);
  }
  out += '"';
}

void JsonObject::Key(std::string_view name) {
  if (!first_) {
    out_ += ',';
  }
  first_ = false;
  AppendJsonString(out_, name);
  out_ += ':';
}

void JsonObject::Text(std::string_view name, std::string_view value) {
  Key(name);
  AppendJsonString(out_, value);
}

void JsonObject::TextOrNull(std::string_view name, std::string_view value) {
  if (value.empty()) {
    Null(name);
  } else {
    Text(name, value);
  }
}

void JsonObject::Null(std::string_view name) {
  Key(name);
  out_ += "null";
}

void JsonObject::Bool(std::string_view name, bool value) {
  Key(name);
  out_ += value ? "true" : "false";
}

void JsonObject::Raw(std::string_view name, std::string_view json) {
  Key(name);
  out_ += json;
}

}  // namespace apps::view
