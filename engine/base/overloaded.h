// SPDX-License-Identifier: Apache-2.0
// Visits a std::variant with one lambda per alternative.
#pragma once

namespace engine::base {

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace engine::base
