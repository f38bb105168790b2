// SPDX-License-Identifier: Apache-2.0
// How many attempts a worker is given beyond its slots, so that a slot that becomes free has the
// next one at hand and need not wait for a commit and a round trip.
// Only short jobs are given ahead: what was given ahead can no longer be overtaken by a job with a
// longer path, nor go to another worker. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "engine/base/time.h"

namespace engine::placement {

/// Work held ahead for each slot: enough to cover one commit round trip on a disk whose flush takes
/// milliseconds, small beside anything that a person would notice.
inline constexpr base::Duration kAheadWork = std::chrono::milliseconds(20);
/// More than this many attempts a slot gains nothing.
inline constexpr std::uint32_t kAheadMax = 8;
/// Of how many attempts that ended last the mean is taken.
inline constexpr std::size_t kRecentMax = 8;

/// What the next job is expected to take: the longer of what earlier runs say of it (0: nothing)
/// and the mean of what ended last on the worker; nothing when neither is known. Taking the longer
/// one keeps short jobs from being parked behind long ones.
std::optional<base::Duration> ExpectedDuration(base::Duration known,
                                               std::span<const base::Duration> recent);

/// Attempts beyond the slots, a slot: as many as fit in `kAheadWork`, so none for a job longer than
/// that; one while nothing is known.
std::uint32_t AheadDepth(std::optional<base::Duration> expected);

}  // namespace engine::placement
