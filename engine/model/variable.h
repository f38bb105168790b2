// SPDX-License-Identifier: Apache-2.0
// What Linux lets a program have in its environment.
#pragma once

#include <cstddef>

namespace engine::model {

/// `NAME=VALUE` and its NUL: MAX_ARG_STRLEN of execve(2), 32 pages of 4 KiB.
inline constexpr std::size_t kVariableBytesMax = std::size_t{128} << 10;

}  // namespace engine::model
