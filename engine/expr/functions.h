// SPDX-License-Identifier: Apache-2.0
// The functions of the language: their names, their argument counts, and what the built-in ones do.
// Internal to `engine/expr`; the public list is `FunctionNames` in expression.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/expr/limits.h"
#include "engine/expr/pattern.h"
#include "engine/expr/value.h"

namespace engine::expr {

enum class FunctionId : std::uint8_t {
  kContains,
  kStartsWith,
  kEndsWith,
  kFormat,
  kJoin,
  kToJson,
  kFromJson,
  kMatches,
  kHost,  ///< answered by `Scope::CallHost`
};

struct FunctionSpec {
  std::string_view name;
  FunctionId id = FunctionId::kHost;
  std::size_t arguments_min = 0;
  std::size_t arguments_max = 0;
};

std::span<const FunctionSpec> AllFunctions();
/// Case does not matter; null when there is none.
const FunctionSpec* FindFunction(std::string_view name);

/// What one evaluation may still do: bytes it may make or look through.
class Work {
 public:
  /// False once the limit is passed.
  bool Spend(std::size_t bytes) {
    left_ = bytes < left_ ? left_ - bytes : 0;
    return left_ > 0;
  }

 private:
  std::size_t left_ = kWorkBytesMax;
};

/// Why a call failed, and which argument (from 0) is to blame; without one, the call as a whole.
struct CallError {
  std::string message;
  std::string hint;
  std::optional<std::size_t> argument;
};

CallError TooMuchWork();

/// The hint that goes with what `CheckFormat` finds.
inline constexpr std::string_view kFormatHint = "braces that mean themselves are written {{ and }}";

struct CallResult {
  CallResult(Value result) : value(std::move(result)) {}  // NOLINT(google-explicit-constructor)
  CallResult(CallError failure)
      : error(std::move(failure)) {}  // NOLINT(google-explicit-constructor)
  Value value;
  std::optional<CallError> error;
};

/// `arguments` are as many as `function` takes; `pattern` is the compiled second one of `matches`,
/// or null.
CallResult CallBuiltIn(const FunctionSpec& function, std::span<const Value> arguments,
                       const Pattern* pattern, Work& work);

/// What is wrong with `text` as the first argument of `format` with `count` values after it;
/// nothing when it is fine.
std::optional<std::string> CheckFormat(std::string_view text, std::size_t count);

}  // namespace engine::expr
