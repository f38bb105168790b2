// SPDX-License-Identifier: Apache-2.0
// Values to JSON text, in the layout of GitHub's `toJSON`.
#include <cmath>

#include "engine/expr/number.h"
#include "engine/expr/utf8.h"
#include "engine/expr/value.h"

namespace engine::expr {
namespace {

class Writer {
 public:
  Writer(bool pretty, std::size_t bytes_max) : pretty_(pretty), bytes_max_(bytes_max) {}

  // False when the limit is passed; then `text` is cut somewhere.
  bool Write(const Value& value);
  std::string Take() && { return std::move(text_); }

 private:
  bool WriteArray(const Array& items);
  bool WriteObject(const Object& members);
  void WriteString(std::string_view string);
  void WriteEscaped(char c);
  std::size_t WriteSequence(std::string_view rest);
  void BreakLine();

  bool pretty_;
  std::size_t bytes_max_;
  std::size_t level_ = 0;
  std::string text_;
};

bool Writer::Write(const Value& value) {
  switch (value.kind()) {
    case Kind::kNull:
      text_ += "null";
      break;
    case Kind::kBoolean:
      text_ += value.boolean() ? "true" : "false";
      break;
    case Kind::kNumber:
      text_ += std::isfinite(value.number()) ? ExactNumber(value.number()) : "null";
      break;
    case Kind::kString:
      WriteString(value.string());
      break;
    case Kind::kArray:
      return WriteArray(value.array());
    case Kind::kObject:
      return WriteObject(value.object());
  }
  return text_.size() <= bytes_max_;
}

bool Writer::WriteArray(const Array& items) {
  text_ += '[';
  ++level_;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) {
      text_ += ',';
    }
    BreakLine();
    if (!Write(items[i])) {
      return false;
    }
  }
  --level_;
  if (!items.empty()) {
    BreakLine();
  }
  text_ += ']';
  return text_.size() <= bytes_max_;
}

bool Writer::WriteObject(const Object& members) {
  text_ += '{';
  ++level_;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) {
      text_ += ',';
    }
    BreakLine();
    WriteString(members[i].first);
    text_ += pretty_ ? ": " : ":";
    if (!Write(members[i].second)) {
      return false;
    }
  }
  --level_;
  if (!members.empty()) {
    BreakLine();
  }
  text_ += '}';
  return text_.size() <= bytes_max_;
}

void Writer::BreakLine() {
  if (pretty_) {
    text_ += '\n';
    text_.append(level_ * 2, ' ');
  }
}

void Writer::WriteString(std::string_view string) {
  text_ += '"';
  for (std::size_t at = 0; at < string.size() && text_.size() <= bytes_max_;) {
    const char c = string[at];
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
      WriteEscaped(c);
      ++at;
    } else if (static_cast<unsigned char>(c) < 0x80) {
      text_ += c;
      ++at;
    } else {
      at += WriteSequence(string.substr(at));
    }
  }
  text_ += '"';
}

void Writer::WriteEscaped(char c) {
  static constexpr std::string_view kPlain = "\"\\\b\f\n\r\t";
  static constexpr std::string_view kLetters = "\"\\bfnrt";
  static constexpr std::string_view kHex = "0123456789abcdef";
  const std::size_t known = kPlain.find(c);
  text_ += '\\';
  if (known != std::string_view::npos) {
    text_ += kLetters[known];
    return;
  }
  text_ += "u00";
  text_ += kHex[static_cast<unsigned char>(c) >> 4U];
  text_ += kHex[static_cast<unsigned char>(c) & 0xFU];
}

std::size_t Writer::WriteSequence(std::string_view rest) {
  const std::size_t length = SequenceLength(rest);
  if (length == 0) {
    text_ += kReplacementCharacter;
    return 1;
  }
  text_ += rest.substr(0, length);
  return length;
}

}  // namespace

std::string Value::ToJson(bool pretty) const {
  return ToJson(pretty, std::string().max_size()).value_or("");
}

std::optional<std::string> Value::ToJson(bool pretty, std::size_t bytes_max) const {
  Writer writer(pretty, bytes_max);
  if (!writer.Write(*this)) {
    return std::nullopt;
  }
  return std::move(writer).Take();
}

}  // namespace engine::expr
