// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/map_scope.h"

#include "engine/expr/text_case.h"

namespace engine::expr {
namespace {

template <typename List>
auto FindNamed(List& list, std::string_view name) -> decltype(&list.front().second) {
  for (auto& [known, held] : list) {
    if (EqualIgnoringCase(known, name)) {
      return &held;
    }
  }
  return nullptr;
}

}  // namespace

MapScope& MapScope::Set(std::string name, Value value) {
  if (Value* held = FindNamed(contexts_, name)) {
    *held = std::move(value);
  } else {
    contexts_.emplace_back(std::move(name), std::move(value));
  }
  return *this;
}

MapScope& MapScope::SetFunction(std::string name, HostFunction function) {
  if (HostFunction* held = FindNamed(functions_, name)) {
    *held = std::move(function);
  } else {
    functions_.emplace_back(std::move(name), std::move(function));
  }
  return *this;
}

const Value* MapScope::Context(std::string_view name) const {
  return FindNamed(contexts_, name);
}

std::vector<std::string> MapScope::ContextNames() const {
  std::vector<std::string> names;
  names.reserve(contexts_.size());
  for (const auto& [name, value] : contexts_) {
    names.push_back(name);
  }
  return names;
}

std::optional<Result<Value>> MapScope::CallHost(std::string_view function,
                                                std::span<const Value> arguments) const {
  const HostFunction* held = FindNamed(functions_, function);
  if (held == nullptr) {
    return std::nullopt;
  }
  return (*held)(arguments);
}

}  // namespace engine::expr
