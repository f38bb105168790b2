// SPDX-License-Identifier: Apache-2.0
// What a check reports: where, what, and what to do instead.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tests::repo {

struct Finding {
  std::string path;
  std::size_t line = 0;  ///< from 1; 0: the whole file
  std::string message;
};
using Findings = std::vector<Finding>;

/// `path:line: message`, one a line; empty when there is none.
std::string ToText(const Findings& findings);

}  // namespace tests::repo
