// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/environment.h"

namespace agents::runner {

// Blocks hold some thirty entries: looking at each first byte beats any index.
std::size_t Environment::PositionOf(std::string_view name) const {
  std::size_t position = 0;
  for (const std::string& entry : block_) {
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
      break;
    }
    ++position;
  }
  return position;
}

void Environment::Set(std::string_view name, std::string_view value) {
  std::string entry;
  entry.reserve(name.size() + value.size() + 1);
  entry.append(name).append(1, '=').append(value);
  const std::size_t position = PositionOf(name);
  if (position == block_.size()) {
    block_.push_back(std::move(entry));
  } else {
    block_[position] = std::move(entry);
  }
}

}  // namespace agents::runner
