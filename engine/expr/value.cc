// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/value.h"

#include <limits>

#include "engine/base/check.h"
#include "engine/expr/number.h"
#include "engine/expr/text_case.h"

namespace engine::expr {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

std::string_view ToText(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBoolean:
      return "boolean";
    case Kind::kNumber:
      return "number";
    case Kind::kString:
      return "string";
    case Kind::kArray:
      return "array";
    case Kind::kObject:
      return "object";
  }
  return "";
}

Value Value::Boolean(bool value) {
  return Value(Held(value));
}
Value Value::Number(double value) {
  return Value(Held(value));
}
Value Value::String(std::string value) {
  return Value(Held(std::make_shared<const std::string>(std::move(value))));
}
Value Value::MakeArray(Array items) {
  return Value(Held(std::make_shared<const Array>(std::move(items))));
}
Value Value::MakeObject(Object members) {
  return Value(Held(std::make_shared<const Object>(std::move(members))));
}

bool Value::boolean() const {
  CHECK(kind() == Kind::kBoolean);
  return *std::get_if<bool>(&held_);
}

double Value::number() const {
  CHECK(kind() == Kind::kNumber);
  return *std::get_if<double>(&held_);
}

const std::string& Value::string() const {
  CHECK(kind() == Kind::kString);
  return **std::get_if<std::shared_ptr<const std::string>>(&held_);
}

const Array& Value::array() const {
  CHECK(kind() == Kind::kArray);
  return **std::get_if<std::shared_ptr<const Array>>(&held_);
}

const Object& Value::object() const {
  CHECK(kind() == Kind::kObject);
  return **std::get_if<std::shared_ptr<const Object>>(&held_);
}

const Value* Value::Find(std::string_view name) const {
  if (kind() != Kind::kObject) {
    return nullptr;
  }
  const Value* similar = nullptr;
  for (const auto& [key, value] : object()) {
    if (key == name) {
      return &value;
    }
    if (similar == nullptr && EqualIgnoringCase(key, name)) {
      similar = &value;
    }
  }
  return similar;
}

bool Value::Truthy() const {
  switch (kind()) {
    case Kind::kNull:
      return false;
    case Kind::kBoolean:
      return boolean();
    case Kind::kNumber:
      return number() < 0 || number() > 0;  // NaN is neither.
    case Kind::kString:
      return !string().empty();
    case Kind::kArray:
    case Kind::kObject:
      return true;
  }
  return false;
}

std::string Value::ToDisplay() const {
  switch (kind()) {
    case Kind::kNull:
      return {};
    case Kind::kBoolean:
      return boolean() ? "true" : "false";
    case Kind::kNumber:
      return DisplayNumber(number());
    case Kind::kString:
      return string();
    case Kind::kArray:
      return "Array";
    case Kind::kObject:
      return "Object";
  }
  return {};
}

double Value::ToNumber() const {
  switch (kind()) {
    case Kind::kNull:
      return 0;
    case Kind::kBoolean:
      return boolean() ? 1 : 0;
    case Kind::kNumber:
      return number();
    case Kind::kString:
      return ParseNumber(string());
    case Kind::kArray:
    case Kind::kObject:
      return kNaN;
  }
  return kNaN;
}

bool Value::SameInstance(const Value& other) const {
  if (kind() == Kind::kString && other.kind() == Kind::kString) {
    return string() == other.string();
  }
  return held_ == other.held_;  // Compares shared pointers, not what they point at.
}

bool LooselyEqual(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) {
    return a.ToNumber() == b.ToNumber();  // Of an array or an object NaN, which equals nothing.
  }
  return a.kind() == Kind::kString ? EqualIgnoringCase(a.string(), b.string()) : a.SameInstance(b);
}

bool LooselyLess(const Value& a, const Value& b) {
  if (a.kind() == Kind::kString && b.kind() == Kind::kString) {
    return CompareIgnoringCase(a.string(), b.string()) < 0;
  }
  return a.ToNumber() < b.ToNumber();
}

}  // namespace engine::expr
