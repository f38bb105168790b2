// SPDX-License-Identifier: Apache-2.0
#include "tests/repo/findings.h"

#include <fmt/format.h>

namespace tests::repo {

std::string ToText(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += finding.line == 0
                ? fmt::format("{}: {}\n", finding.path, finding.message)
                : fmt::format("{}:{}: {}\n", finding.path, finding.line, finding.message);
  }
  return text;
}

}  // namespace tests::repo
