// SPDX-License-Identifier: Apache-2.0
// What stands in front of the encoded bytes: a format version and, where no digest names them, a
// checksum. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace store::codec {

/// Bytes that `Seal` leaves free at the front: version, then 32 bits of checksum.
inline constexpr std::size_t kEnvelopeBytes = 5;

/// Fills in the front of `out`, from `start`; the payload follows it already.
void Seal(std::uint8_t version, std::size_t start, std::string& out);

/// The payload behind the front. `FailedPrecondition` when the version is newer than `newest`,
/// `DataLoss` when the checksum does not fit; both name `what`.
engine::base::StatusOr<std::string_view> Unseal(std::string_view bytes, std::uint8_t newest,
                                                std::string_view what);

/// Checks a version alone.
engine::base::Status CheckVersion(std::uint8_t version, std::uint8_t newest, std::string_view what);

}  // namespace store::codec
