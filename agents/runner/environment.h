// SPDX-License-Identifier: Apache-2.0
// The environment block of a command: `NAME=value`, each name once, later settings win.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace agents::runner {

class Environment {
 public:
  void Set(std::string_view name, std::string_view value);
  /// What a command gets; every entry is `NAME=value`.
  const std::vector<std::string>& block() const { return block_; }
  void Reserve(std::size_t count) { block_.reserve(count); }

 private:
  std::size_t PositionOf(std::string_view name) const;
  std::vector<std::string> block_;
};

}  // namespace agents::runner
