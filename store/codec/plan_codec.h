// SPDX-License-Identifier: Apache-2.0
// Plans to bytes and back. The encoding is canonical: equal plans give equal bytes, whose SHA-256
// names the plan. One job at a time is in protobuf's memory, so 100,000 jobs cost little more than
// their bytes. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/model/plan.h"

namespace store::codec {

inline constexpr std::uint8_t kPlanVersion = 1;

std::string EncodePlan(const engine::model::Plan& plan);

/// `FailedPrecondition`: written by a newer version, which is named. `DataLoss`: damaged.
engine::base::StatusOr<engine::model::PlanRef> DecodePlan(std::string_view bytes);

/// The 32 bytes of a digest, for the column of a table; lives as long as `digest`.
std::string_view BytesOf(const engine::model::PlanDigest& digest);
/// Back; bytes that are too few count 0.
engine::model::PlanDigest DigestFrom(std::string_view bytes);

/// Of an encoded plan.
engine::model::PlanDigest DigestOfBytes(std::string_view encoded_plan);
/// Encodes, and throws the bytes away.
engine::model::PlanDigest DigestOf(const engine::model::Plan& plan);

}  // namespace store::codec
