// SPDX-License-Identifier: Apache-2.0
#include "tests/replay/golden_log.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include <fmt/format.h>

namespace tests::replay {
namespace {

namespace base = engine::base;
namespace model = engine::model;

std::string ToHex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

base::StatusOr<std::string> FromHex(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const std::string pair = hex.substr(i, 2);
    const bool digits = std::isxdigit(static_cast<unsigned char>(pair[0])) != 0 &&
                        std::isxdigit(static_cast<unsigned char>(pair[1])) != 0;
    if (!digits) {
      return base::DataLoss("'{}' is not hexadecimal", pair);
    }
    out.push_back(static_cast<char>(std::stoi(pair, nullptr, 16)));
  }
  return out;
}

}  // namespace

std::string ToText(const GoldenLog& log) {
  std::string out;
  for (const std::string& comment : log.comments) {
    out += "# " + comment + "\n";
  }
  for (const auto& [digest, bytes] : log.plans) {
    out += fmt::format(
        "plan {} {}\n",
        ToHex({reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()}),
        ToHex(bytes));
  }
  for (const auto& [run, bytes] : log.rows) {
    out += fmt::format("row {} {}\n", run.value(), ToHex(bytes));
  }
  return out;
}

base::StatusOr<GoldenLog> GoldenLogFromText(const std::string& text) {
  GoldenLog log;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) {
      log.comments.push_back(line.substr(std::min<std::size_t>(2, line.size())));
      continue;
    }
    std::istringstream words(line);
    std::string kind;
    std::string name;
    std::string hex;
    words >> kind >> name >> hex;
    ASSIGN_OR_RETURN(std::string bytes, FromHex(hex));
    if (kind == "plan") {
      const auto digest = base::DigestFromHex(name);
      if (!digest) {
        return base::DataLoss("'{}' is no digest", name);
      }
      log.plans.emplace_back(*digest, std::move(bytes));
    } else if (kind == "row") {
      log.rows.emplace_back(model::RunId(std::stoull(name)), std::move(bytes));
    } else {
      return base::DataLoss("'{}' is no line of a golden log", line);
    }
  }
  return log;
}

}  // namespace tests::replay
