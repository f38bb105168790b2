// SPDX-License-Identifier: Apache-2.0
// Checks of what callers write into requests: `InvalidArgument` names the field. Pure; any thread.
#pragma once

#include <string_view>

#include "api/wire/values.h"

namespace api::wire {

/// "<field>: 5000 bytes, at most 4096".
engine::base::Status CheckLength(std::string_view text, std::size_t max, std::string_view field);
/// The same, and it must not be empty.
engine::base::Status CheckPresent(std::string_view text, std::size_t max, std::string_view field);

/// Drawn by the caller to make a request repeatable: 1 to 128 bytes of printable ASCII.
engine::base::Status CheckRequestKey(std::string_view key, std::string_view field);

/// Names a run: an id, the beginning of one, or `latest`.
engine::base::Status CheckRunName(std::string_view name, std::string_view field);

/// A whole id, as `model::ToText` spells it.
engine::base::StatusOr<engine::model::RunId> RunIdFrom(std::string_view text,
                                                       std::string_view field);

}  // namespace api::wire
