// SPDX-License-Identifier: Apache-2.0
// Values of the expression language: null, boolean, number (IEEE double), string, array, object.
// Immutable and cheap to copy (strings, arrays and objects are shared). Semantics follow GitHub
// Actions' documented expression language.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/status.h"

namespace engine::expr {

class Value;
using Array = std::vector<Value>;
/// Members in the order they were written; looked up without regard to case.
using Object = std::vector<std::pair<std::string, Value>>;

enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };
std::string_view ToText(Kind kind);  ///< `null boolean number string array object`

class Value {
 public:
  Value() = default;  ///< null
  static Value Boolean(bool value);
  static Value Number(double value);
  static Value String(std::string value);
  static Value MakeArray(Array items);
  static Value MakeObject(Object members);

  Kind kind() const { return static_cast<Kind>(held_.index()); }
  bool IsNull() const { return kind() == Kind::kNull; }
  /// Null, boolean, number or string.
  bool IsPrimitive() const { return kind() <= Kind::kString; }
  bool boolean() const;               ///< only of a boolean
  double number() const;              ///< only of a number
  const std::string& string() const;  ///< only of a string
  const Array& array() const;         ///< only of an array
  const Object& object() const;       ///< only of an object
  /// The member, or null when there is none or this is no object. An exact match goes before one
  /// that differs in case.
  const Value* Find(std::string_view name) const;

  bool Truthy() const;  ///< false, 0, -0, "", null and NaN are not
  /// As inside a string: null is empty, a number has at most 15 significant digits (`1`, `0.1`,
  /// `1E+21`, `NaN`, `Infinity`, -0 is `0`), and arrays and objects are the words "Array" and
  /// "Object". As GitHub does.
  std::string ToDisplay() const;
  /// As JavaScript's `Number()`: null 0, true 1, a string parsed ("" is 0), anything else NaN.
  double ToNumber() const;
  /// Valid JSON whatever the value holds: NaN and infinities become null, bytes that are no UTF-8
  /// become U+FFFD. Numbers read back as the same double. `pretty` breaks lines and indents by 2.
  std::string ToJson(bool pretty = false) const;
  /// The same, or nothing when it would be longer than `bytes_max`; never builds much more than
  /// that.
  std::optional<std::string> ToJson(bool pretty, std::size_t bytes_max) const;
  /// Numbers become doubles; nested up to 100 levels; the last of equal keys wins.
  /// `InvalidArgument` with the position otherwise.
  static base::StatusOr<Value> FromJson(std::string_view text);

  /// The same array or object in memory, or equal primitives; what `==` means for arrays and
  /// objects.
  bool SameInstance(const Value& other) const;

 private:
  using Held = std::variant<std::monostate, bool, double, std::shared_ptr<const std::string>,
                            std::shared_ptr<const Array>, std::shared_ptr<const Object>>;
  explicit Value(Held held) : held_(std::move(held)) {}

  Held held_;
};

/// `==` of the language: types that differ are compared as numbers, strings without regard to case,
/// arrays and objects by identity.
bool LooselyEqual(const Value& a, const Value& b);
/// `<` of the language; `a > b` is `LooselyLess(b, a)`. False where the two cannot be ordered (NaN,
/// arrays, objects).
bool LooselyLess(const Value& a, const Value& b);

}  // namespace engine::expr
