// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/secret_values.h"

#include <cstddef>

namespace agents::runner {
namespace {

constexpr std::size_t kFoundInsideFrom = 4;

bool GivesAway(std::string_view text, std::string_view value) {
  if (value.empty()) {
    return false;
  }
  return value.size() < kFoundInsideFrom ? text == value
                                         : text.find(value) != std::string_view::npos;
}

}  // namespace

engine::base::StatusOr<std::string> SecretValues::Read(std::string_view name) {
  if (const auto known = values_.find(name); known != values_.end()) {
    return known->second;
  }
  if (source_ == nullptr) {
    return engine::base::NotFound("there is no secret '{}'", name);
  }
  ASSIGN_OR_RETURN(std::string value, source_->Read(name));
  values_.emplace(name, value);
  return value;
}

void SecretValues::AddMask(std::string value) {
  masks_.emplace(std::move(value), 0);
}

std::vector<std::string> SecretValues::All() const {
  std::vector<std::string> all;
  all.reserve(values_.size() + masks_.size());
  for (const auto& [name, value] : values_) {
    all.push_back(value);
  }
  for (const auto& [value, unused] : masks_) {
    all.push_back(value);
  }
  return all;
}

std::string SecretValues::FoundIn(std::string_view text) const {
  for (const auto& [name, value] : values_) {
    if (GivesAway(text, value)) {
      return "secret " + name;
    }
  }
  for (const auto& [value, unused] : masks_) {
    if (GivesAway(text, value)) {
      return "a masked value";
    }
  }
  return {};
}

}  // namespace agents::runner
