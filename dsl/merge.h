// SPDX-License-Identifier: Apache-2.0
// Deep merge of maps: later ones win, maps are merged name by name, everything else is replaced,
// and an empty value takes away what an earlier map gave.
#pragma once

#include <span>
#include <string_view>

#include "dsl/arena.h"
#include "dsl/document.h"
#include "dsl/reporter.h"

namespace dsl {

/// A map, and its keys that are not handed on.
struct Layer {
  NodeRef map;
  std::span<const std::string_view> without = {};
};

/// One map out of `layers` (at least one), which stands where the last one does. What is not
/// overwritten is shared, not copied.
NodeRef MergeMaps(std::span<const Layer> layers, Arena& arena, Reporter& reporter);

}  // namespace dsl
