// SPDX-License-Identifier: Apache-2.0
// A `Scope` made of named values and functions. Cheap to copy; not thread-safe while it is being
// filled.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/expr/expression.h"
#include "engine/expr/value.h"

namespace engine::expr {

class MapScope : public Scope {
 public:
  using HostFunction = std::function<Result<Value>(std::span<const Value> arguments)>;

  MapScope() = default;
  explicit MapScope(Object contexts) : contexts_(std::move(contexts)) {}

  /// Adds a context, or replaces the one of that name.
  MapScope& Set(std::string name, Value value);
  /// Adds or replaces one of the host functions (`success failure always cancelled hashFiles`).
  MapScope& SetFunction(std::string name, HostFunction function);

  const Value* Context(std::string_view name) const override;
  std::vector<std::string> ContextNames() const override;
  std::optional<Result<Value>> CallHost(std::string_view function,
                                        std::span<const Value> arguments) const override;

 private:
  Object contexts_;
  std::vector<std::pair<std::string, HostFunction>> functions_;
};

}  // namespace engine::expr
