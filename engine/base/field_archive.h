// SPDX-License-Identifier: Apache-2.0
// Fields one behind the other, for bytes that are read again on the same machine: numbers in its
// own byte order, texts and lists behind a 32-bit count. A struct's fields are named once, for both
// directions:
//
//   template <typename Archive, typename T>
//   void Fields(Archive& archive, T& place) {
//     archive(place.name);
//     archive(place.size);
//   }
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"

namespace engine::base {

/// Appends fields to a text.
class FieldWriter {
 public:
  explicit FieldWriter(std::string& out) : out_(out) {}

  template <typename T>
  requires std::is_arithmetic_v<T>
  void operator()(const T& value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <typename T>
  requires std::is_enum_v<T>
  void operator()(const T& value) { (*this)(static_cast<std::underlying_type_t<T>>(value)); }
  void operator()(const std::string& text) {
    (*this)(static_cast<std::uint32_t>(text.size()));
    out_.append(text);
  }
  void operator()(const Status& status) {
    (*this)(static_cast<std::int32_t>(status.code()));
    (*this)(std::string(Message(status)));
  }
  void operator()(const Duration& duration) {
    (*this)(static_cast<std::int64_t>(duration.count()));
  }
  template <typename T>
  void operator()(const std::vector<T>& list) {
    List(list, [](FieldWriter& each, const T& item) { each(item); });
  }
  template <typename T, typename Fields>
  void List(const std::vector<T>& list, const Fields& fields) {
    (*this)(static_cast<std::uint32_t>(list.size()));
    for (const T& item : list) {
      fields(*this, item);
    }
  }
  template <typename T, typename Fields>
  void Optional(const std::optional<T>& value, const Fields& fields) {
    (*this)(value.has_value());
    if (value) {
      fields(*this, *value);
    }
  }

 private:
  std::string& out_;
};

/// Takes fields off; after the first that does not fit, `ok` is false and stays so, and what is
/// read has its default.
class FieldReader {
 public:
  explicit FieldReader(std::string_view in) : in_(in) {}
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool AtEnd() const { return ok_ && in_.empty(); }

  template <typename T>
  requires std::is_arithmetic_v<T>
  void operator()(T& value) {
    if (!Has(sizeof value)) {
      return;
    }
    if constexpr (std::is_same_v<T, bool>) {
      value = in_[0] != 0;
    } else {
      std::memcpy(&value, in_.data(), sizeof value);
    }
    in_.remove_prefix(sizeof value);
  }
  template <typename T>
  requires std::is_enum_v<T>
  void operator()(T& value) {
    std::underlying_type_t<T> number{};
    (*this)(number);
    value = static_cast<T>(number);
  }
  void operator()(std::string& text) {
    std::uint32_t size = 0;
    (*this)(size);
    if (Has(size)) {
      text.assign(in_.substr(0, size));
      in_.remove_prefix(size);
    }
  }
  void operator()(Status& status) {
    std::int32_t code = 0;
    std::string message;
    (*this)(code);
    (*this)(message);
    status = code == 0 ? OkStatus() : MakeStatus(static_cast<absl::StatusCode>(code), message);
  }
  void operator()(Duration& duration) {
    std::int64_t count = 0;
    (*this)(count);
    duration = Duration(count);
  }
  template <typename T>
  void operator()(std::vector<T>& list) {
    List(list, [](FieldReader& each, T& item) { each(item); });
  }
  template <typename T, typename Fields>
  void List(std::vector<T>& list, const Fields& fields) {
    std::uint32_t size = 0;
    (*this)(size);
    // Each item takes four bytes at least, so a count beyond what is left is a lie.
    if (!Has(std::size_t{size} * 4)) {
      return;
    }
    list.resize(size);
    for (T& item : list) {
      fields(*this, item);
    }
  }
  template <typename T, typename Fields>
  void Optional(std::optional<T>& value, const Fields& fields) {
    bool has_value = false;
    (*this)(has_value);
    if (has_value) {
      fields(*this, value.emplace());
    }
  }

 private:
  bool Has(std::size_t bytes) {
    ok_ = ok_ && in_.size() >= bytes;
    return ok_;
  }
  std::string_view in_;
  bool ok_ = true;
};

}  // namespace engine::base
