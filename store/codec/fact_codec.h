// SPDX-License-Identifier: Apache-2.0
// Facts and snapshots to bytes and back. The bytes are kept for ever: every later release reads
// them (tests/replay). Small on purpose: times count from the fact before, the run stands once a
// list, what has its default is left out. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/fact.h"
#include "engine/model/snapshot.h"

namespace store::codec {

/// Goes up when bytes appear that older builds must not read past; a member that old builds may
/// ignore needs no new version.
inline constexpr std::uint8_t kFactsVersion = 1;
inline constexpr std::uint8_t kSnapshotVersion = 1;

std::string EncodeFacts(std::span<const engine::model::Fact> facts);
/// Appends to `out`, which is not cleared.
void EncodeFactsTo(std::span<const engine::model::Fact> facts, std::string& out);

/// `FailedPrecondition`: written by a newer version, which is named. `DataLoss`: damaged.
engine::base::StatusOr<std::vector<engine::model::Fact>> DecodeFacts(std::string_view bytes);

std::string EncodeSnapshot(const engine::model::Snapshot& snapshot);
/// Errors as `DecodeFacts`.
engine::base::StatusOr<engine::model::Snapshot> DecodeSnapshot(std::string_view bytes);

}  // namespace store::codec
