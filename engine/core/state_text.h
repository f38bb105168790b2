// SPDX-License-Identifier: Apache-2.0
// The state as text, in one canonical form, to compare two states and to see where they differ.
#pragma once

#include <string>

#include "engine/core/state.h"

namespace engine::core {

/// Everything that a decision may depend on, a line each, in an order that does not depend on how
/// the state came about: two states are equal when these texts are. Caches are left out, and
/// `last_at`, which only guards against a clock that goes back.
std::string StateText(const State& state);

}  // namespace engine::core
