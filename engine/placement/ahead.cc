// SPDX-License-Identifier: Apache-2.0
#include "engine/placement/ahead.h"

#include <algorithm>

namespace engine::placement {

std::optional<base::Duration> ExpectedDuration(base::Duration known,
                                               std::span<const base::Duration> recent) {
  if (recent.empty()) {
    return known.count() > 0 ? std::optional(known) : std::nullopt;
  }
  base::Duration sum{0};
  for (const base::Duration took : recent) {
    sum += took;
  }
  return std::max(known, sum / static_cast<std::int64_t>(recent.size()));
}

std::uint32_t AheadDepth(std::optional<base::Duration> expected) {
  if (!expected.has_value()) {
    return 1;
  }
  const std::int64_t each = std::max<std::int64_t>(expected->count(), 1);
  return static_cast<std::uint32_t>(std::min<std::int64_t>(kAheadWork.count() / each, kAheadMax));
}

}  // namespace engine::placement
