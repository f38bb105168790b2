// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/parameters.h"

#include <utility>

namespace store::postgres {
namespace {

// Numbers travel with the most significant byte first.
template <typename Number>
void Put(Number value, std::string& out) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

template <typename Number>
std::string Encode(Number value) {
  std::string out;
  Put(value, out);
  return out;
}

}  // namespace

Column::Column(ElementType type) : type_(type) {}

void Column::Int64(std::int64_t value) {
  Put(std::uint32_t{sizeof value}, elements_);
  Put(static_cast<std::uint64_t>(value), elements_);
  ++size_;
}

void Column::Int32(std::int32_t value) {
  Put(std::uint32_t{sizeof value}, elements_);
  Put(static_cast<std::uint32_t>(value), elements_);
  ++size_;
}

void Column::Bytes(std::string_view value) {
  Put(static_cast<std::uint32_t>(value.size()), elements_);
  elements_.append(value);
  ++size_;
}

void Column::Null() {
  Put(std::uint32_t{0xffffffff}, elements_);
  has_null_ = true;
  ++size_;
}

// dimensions, has nulls, element type, then per dimension its length and its first index.
std::string Column::Encoded() const {
  std::string out;
  out.reserve(20 + elements_.size());
  Put(std::uint32_t{size_ == 0 ? 0U : 1U}, out);
  Put(std::uint32_t{has_null_ ? 1U : 0U}, out);
  Put(static_cast<std::uint32_t>(type_), out);
  if (size_ != 0) {
    Put(static_cast<std::uint32_t>(size_), out);
    Put(std::uint32_t{1}, out);
    out += elements_;
  }
  return out;
}

Parameters& Parameters::Int64(std::int64_t value) {
  return Int64(static_cast<std::uint64_t>(value));
}

Parameters& Parameters::Int64(std::uint64_t value) {
  values_.push_back(Encode(value));
  return *this;
}

Parameters& Parameters::Int32(std::int32_t value) {
  values_.push_back(Encode(static_cast<std::uint32_t>(value)));
  return *this;
}

Parameters& Parameters::Bytes(std::string_view value) {
  values_.emplace_back(value);
  return *this;
}

Parameters& Parameters::Array(const Column& column) {
  values_.push_back(column.Encoded());
  return *this;
}

}  // namespace store::postgres
