// SPDX-License-Identifier: Apache-2.0
// Typed numbers: two ids of different kinds cannot be swapped. An id has no meaning beyond identity
// and order.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace engine::base {

/// A number that names one thing of kind `Tag`. `Rep` is its width in memory and in storage.
template <typename Tag, typename Rep = std::uint64_t>
class Id {
 public:
  using rep = Rep;
  constexpr Id() = default;
  constexpr explicit Id(Rep value) : value_(value) {}
  [[nodiscard]] constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  Rep value_ = 0;
};

/// Position in a dense list; `Id` with a narrow representation. `AsIndex` is for subscripting only.
template <typename Tag>
using Index = Id<Tag, std::uint32_t>;

template <typename Tag, typename Rep>
[[nodiscard]] constexpr std::size_t AsIndex(Id<Tag, Rep> id) {
  return static_cast<std::size_t>(id.value());
}

}  // namespace engine::base

template <typename Tag, typename Rep>
struct std::hash<engine::base::Id<Tag, Rep>> {
  std::size_t operator()(engine::base::Id<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value());
  }
};
