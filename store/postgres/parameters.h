// SPDX-License-Identifier: Apache-2.0
// Values for a statement's `$1`, `$2`, …, in PostgreSQL's binary form, so that any byte travels as
// it is and nothing is ever quoted. A column of many rows travels as one array. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace store::postgres {

/// The element types of arrays, by the numbers that PostgreSQL knows them by.
enum class ElementType : std::uint32_t { kBytes = 17, kInt64 = 20, kInt32 = 23, kText = 25 };

/// One column, element by element. `T` and the statement's cast must agree:
/// `Int64` with `bigint[]`, `Int32` with `int[]`, `Bytes` with `bytea[]`, `Text` with `text[]`.
class Column {
 public:
  explicit Column(ElementType type);

  void Int64(std::int64_t value);
  void Int32(std::int32_t value);
  /// For `kBytes`, and for `kText` where `value` is UTF-8 without NUL.
  void Bytes(std::string_view value);
  void Null();

  std::size_t size() const { return size_; }
  /// The array as a parameter.
  std::string Encoded() const;

 private:
  ElementType type_;
  std::size_t size_ = 0;
  bool has_null_ = false;
  std::string elements_;
};

class Parameters {
 public:
  Parameters& Int64(std::int64_t value);      ///< `bigint`
  Parameters& Int64(std::uint64_t value);     ///< the same bits
  Parameters& Int32(std::int32_t value);      ///< `int`
  Parameters& Bytes(std::string_view value);  ///< `bytea`; `text` where it is UTF-8 without NUL
  Parameters& Array(const Column& column);

  const std::vector<std::string>& values() const { return values_; }

 private:
  std::vector<std::string> values_;
};

}  // namespace store::postgres
