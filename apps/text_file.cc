// SPDX-License-Identifier: Apache-2.0
#include "apps/text_file.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <sys/stat.h>

namespace apps {
namespace {

namespace base = engine::base;

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

bool IsName(std::string_view name) {
  const auto part = [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, part);
}

// `text` begins with a double quote; nothing when it does not end with the first bare one.
std::optional<std::string> DoubleQuoted(std::string_view text) {
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      return i + 1 == text.size() ? std::optional(value) : std::nullopt;
    }
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      switch (text[i]) {
        case 'n':
          value += '\n';
          continue;
        case 't':
          value += '\t';
          continue;
        case '"':
        case '\\':
        case '$':
          break;
        default:
          value += '\\';
      }
    }
    value += text[i];
  }
  return std::nullopt;
}

std::optional<std::string> Unquoted(std::string_view text) {
  if (text.starts_with('"')) {
    return DoubleQuoted(text);
  }
  if (text.starts_with('\'')) {
    const std::size_t end = text.find('\'', 1);
    return end + 1 == text.size() ? std::optional(std::string(text.substr(1, end - 1)))
                                  : std::nullopt;
  }
  return std::string(text);
}

}  // namespace

base::StatusOr<std::string> ReadTextFile(const std::string& path, std::uint64_t bytes_max) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) {
    return base::InvalidArgument("{}", base::Message(base::FromErrno(errno, path)));
  }
  if (S_ISDIR(facts.st_mode)) {
    return base::InvalidArgument("{} is a folder", path);
  }
  if (static_cast<std::uint64_t>(facts.st_size) > bytes_max) {
    return base::InvalidArgument("{} is larger than {} bytes", path, bytes_max);
  }
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) {
    return base::InvalidArgument("{} cannot be read", path);
  }
  return text;
}

base::StatusOr<NameValue> SplitNameValue(std::string_view text, std::string_view option) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return base::InvalidArgument("{} takes NAME=VALUE, not '{}'", option, text);
  }
  return NameValue(text.substr(0, equals), text.substr(equals + 1));
}

base::StatusOr<std::vector<NameValue>> ParseEnvFile(std::string_view text, std::string_view path) {
  std::vector<NameValue> values;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = Trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    if (line.starts_with("export ")) {
      line = Trimmed(line.substr(7));
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || !IsName(line.substr(0, equals))) {
      return base::InvalidArgument("{}:{}: expected NAME=VALUE", path, number);
    }
    const std::optional<std::string> value = Unquoted(line.substr(equals + 1));
    if (!value || value->find('\0') != std::string::npos) {
      return base::InvalidArgument("{}:{}: the value's quotes do not match, or it holds a NUL byte",
                                   path, number);
    }
    values.emplace_back(line.substr(0, equals), *value);
  }
  return values;
}

}  // namespace apps
