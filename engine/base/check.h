// SPDX-License-Identifier: Apache-2.0
// Assertions that stay on in release builds. For invariants that only a defect of ours can break;
// never for what a user, an agent, a disk or the network can cause.
#pragma once

namespace engine::base {

/// Prints the place and the expression to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* expression, const char* why);

}  // namespace engine::base

#define CHECK(condition)                               \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::engine::base::CheckFailed(__FILE__, __LINE__, #condition, ""))
#define CHECK_MSG(condition, why) \
  (static_cast<bool>(condition)   \
       ? static_cast<void>(0)     \
       : ::engine::base::CheckFailed(__FILE__, __LINE__, #condition, why))
