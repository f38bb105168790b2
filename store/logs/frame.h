// SPDX-License-Identifier: Apache-2.0
// One zstd frame of bounded size: what an archive is made of, so that a range can be read without
// what stands before it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace store::logs {

/// Bytes of a log in one frame.
inline constexpr std::uint64_t kFrameBytes = 256 << 10;

std::string Pack(std::string_view bytes);
/// `DataLoss` when that does not give exactly `length` bytes.
engine::base::StatusOr<std::string> Unpack(std::string_view frame, std::uint64_t length);

}  // namespace store::logs
