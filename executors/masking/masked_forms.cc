// SPDX-License-Identifier: Apache-2.0
#include "executors/masking/masked_forms.h"

#include <algorithm>
#include <cstdint>
#include <set>

#include <fmt/format.h>

namespace executors::masking {
namespace {

using Forms = std::set<std::string>;

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBlanks = " \t\r\n";

std::string Replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t found = std::min(text.find(from, at), text.size());
    out += text.substr(at, found - at);
    if (found < text.size()) {
      out += to;
    }
    at = found + from.size();
  }
  return out;
}

std::string_view WithoutLineEnd(std::string_view text) {
  const std::size_t last = text.find_last_not_of("\r\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

void AddLogCommands(std::string_view value, Forms& forms) {
  std::string text = Replaced(value, "%", "%25");
  text = Replaced(Replaced(text, "\r", "%0D"), "\n", "%0A");
  forms.insert(text);
  forms.insert(Replaced(Replaced(text, ":", "%3A"), ",", "%2C"));
}

/// The value without blanks around it, if it is long enough to be looked for by itself.
void AddLines(std::string_view value, Forms& forms) {
  while (!value.empty()) {
    const std::size_t length = std::min(value.find('\n'), value.size());
    std::string_view line = value.substr(0, length);
    value.remove_prefix(std::min(length + 1, value.size()));
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    line = line.substr(0, line.find_last_not_of(kBlanks) + 1);
    if (line.size() >= kLineBytesMin) {
      forms.emplace(line);
      AddLogCommands(line, forms);
    }
  }
}

/// Without padding; the bits behind the end are zero.
std::string Base64(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) {
      out.push_back(kBase64[(bits >> (count - 6)) & 63]);
    }
  }
  if (count > 0) {
    out.push_back(kBase64[(bits << (6 - count)) & 63]);
  }
  return out;
}

std::string Padded(std::string text) {
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

void AddBothAlphabets(const std::string& encoded, Forms& forms) {
  if (encoded.size() < kValueBytesMin) {
    return;
  }
  std::string for_urls = encoded;
  std::ranges::replace(for_urls, '+', '-');
  std::ranges::replace(for_urls, '/', '_');
  forms.insert(encoded);
  forms.insert(for_urls);
}

void AddBase64(std::string_view value, Forms& forms) {
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string shifted = std::string(before, '\0') + std::string(value);
    const std::size_t first = (before * 8 + 5) / 6;
    const std::size_t last = shifted.size() * 8 / 6;
    AddBothAlphabets(Base64(shifted).substr(first, last - first), forms);
  }
  for (const std::string& whole : {std::string(value), std::string(value) + "\n"}) {
    const std::string encoded = Padded(Base64(whole));
    AddBothAlphabets(encoded, forms);
    for (const std::size_t width : {64u, 76u}) {
      for (std::size_t at = 0; encoded.size() > width && at < encoded.size(); at += width) {
        const std::string line = encoded.substr(at, width);
        if (line.size() >= kLineBytesMin) {
          forms.insert(line);
        }
      }
    }
  }
}

bool IsUnreserved(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

std::string PercentEncoded(std::string_view value, std::string_view also_plain, bool upper) {
  std::string out;
  for (const char byte : value) {
    if (IsUnreserved(byte) || also_plain.find(byte) != std::string_view::npos) {
      out.push_back(byte);
    } else {
      const auto number = static_cast<unsigned char>(byte);
      out += upper ? fmt::format("%{:02X}", number) : fmt::format("%{:02x}", number);
    }
  }
  return out;
}

void AddPercentEncoded(std::string_view value, Forms& forms) {
  for (const bool upper : {true, false}) {
    // Everything; a path's parts; what `encodeURIComponent` keeps.
    for (const char* also_plain : {"", "/", "!'()*"}) {
      const std::string encoded = PercentEncoded(value, also_plain, upper);
      forms.insert(encoded);
      forms.insert(Replaced(encoded, "%20", "+"));
    }
  }
}

struct JsonStyle {
  bool escape_slash = false;
  bool ascii_only = false;
  bool html_safe = false;
};

/// The code point at the front of `text` and its length in bytes; a byte by itself where `text` is
/// no UTF-8.
std::pair<std::uint32_t, std::size_t> FrontOf(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (length == 1 || text.size() < length) {
    return {first, 1};
  }
  std::uint32_t point = first & (0x7FU >> length);
  for (const char next : text.substr(1, length - 1)) {
    if ((static_cast<unsigned char>(next) & 0xC0) != 0x80) {
      return {first, 1};
    }
    point = (point << 6) | (static_cast<unsigned char>(next) & 0x3F);
  }
  return {point, length};
}

std::string UnicodeEscape(std::uint32_t point) {
  if (point < 0x10000) {
    return fmt::format("\\u{:04x}", point);
  }
  point -= 0x10000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (point >> 10), 0xDC00 + (point & 0x3FF));
}

std::string JsonEscaped(std::string_view value, JsonStyle style) {
  constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  std::string out;
  while (!value.empty()) {
    const auto [point, length] = FrontOf(value);
    const char byte = value.front();
    if (const std::size_t found = kShort.find(byte); found != std::string_view::npos) {
      out += {'\\', kLetters[found]};
    } else if (style.escape_slash && byte == '/') {
      out += "\\/";
    } else if (point < 0x20 || (style.html_safe && (byte == '<' || byte == '>' || byte == '&')) ||
               (style.ascii_only && point > 0x7E)) {
      out += UnicodeEscape(point);
    } else {
      out += value.substr(0, length);
    }
    value.remove_prefix(length);
  }
  return out;
}

void AddJson(std::string_view value, Forms& forms) {
  for (const bool ascii_only : {false, true}) {
    forms.insert(JsonEscaped(value, {.ascii_only = ascii_only}));
    forms.insert(JsonEscaped(value, {.escape_slash = true, .ascii_only = ascii_only}));
    forms.insert(JsonEscaped(value, {.ascii_only = ascii_only, .html_safe = true}));
  }
}

}  // namespace

std::vector<std::string> MaskedForms(std::string_view value) {
  const std::string_view trimmed = WithoutLineEnd(value);
  if (trimmed.size() < kValueBytesMin) {
    return {};
  }
  Forms forms;
  forms.emplace(value);
  forms.emplace(trimmed);
  AddLines(trimmed, forms);
  AddBase64(trimmed, forms);
  AddPercentEncoded(trimmed, forms);
  AddLogCommands(trimmed, forms);
  AddJson(trimmed, forms);
  forms.insert(Replaced(trimmed, "'", "'\\''"));
  return {forms.begin(), forms.end()};
}

}  // namespace executors::masking
