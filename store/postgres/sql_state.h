// SPDX-License-Identifier: Apache-2.0
// What PostgreSQL's five-letter codes mean to the callers of a store. Pure.
#pragma once

#include <string_view>

#include "engine/base/status.h"

namespace store::postgres {

/// The code of the contract in `engine/ports/run_store.h` that fits `state`. Trouble that passes
/// (overload, shutdown, failover, deadlock) is `kUnavailable`, never `kAborted`: that word is kept
/// for a shard that has another owner.
absl::StatusCode CodeOfSqlState(std::string_view state);

/// A row that found no partition for its day (and any other broken check).
inline constexpr std::string_view kCheckViolation = "23514";
/// A row whose key is there already.
inline constexpr std::string_view kUniqueViolation = "23505";

}  // namespace store::postgres
