// SPDX-License-Identifier: Apache-2.0
// Values of the expression language: null, boolean, number (IEEE double), string, array, object.
// Immutable and cheap to copy (arrays and objects are shared). Semantics follow GitHub Actions'
// documented expression language.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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

class Value {
 public:
  Value() = default;  ///< null
  static Value Boolean(bool value);
  static Value Number(double value);
  static Value String(std::string value);
  static Value MakeArray(Array items);
  static Value MakeObject(Object members);

  Kind kind() const;
  bool boolean() const;               ///< only of a boolean
  double number() const;              ///< only of a number
  const std::string& string() const;  ///< only of a string
  const Array& array() const;         ///< only of an array
  const Object& object() const;       ///< only of an object
  /// The member, or null when there is none or this is no object.
  const Value* Find(std::string_view name) const;

  bool Truthy() const;  ///< false, 0, -0, "", null and NaN are not
  std::string ToDisplay()
      const;  ///< as inside a string: coerced as GitHub does ("Array", "Object" for those)
  std::string ToJson(bool pretty = false) const;
  /// Numbers become doubles; nested up to 100 levels. `InvalidArgument` with the position
  /// otherwise.
  static base::StatusOr<Value> FromJson(std::string_view text);

 private:
  std::variant<std::monostate, bool, double, std::shared_ptr<const std::string>,
               std::shared_ptr<const Array>, std::shared_ptr<const Object>>
      held_;
};

}  // namespace engine::expr
