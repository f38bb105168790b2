// SPDX-License-Identifier: Apache-2.0
// What runs want to be kept of the artifact store, until when, and which chunks that makes.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/plan.h"
#include "engine/model/run_context.h"
#include "engine/ports/artifact_store.h"

namespace apps {

struct WantedChunk {
  engine::base::Digest root;    ///< an artifact's manifest, or a document
  bool is_document = false;     ///< one chunk, which lists no others
  engine::base::Instant until;  ///< of a run that has ended; an open one keeps what it has
  friend bool operator==(const WantedChunk&, const WantedChunk&) = default;
};

/// How long an uploaded tree is kept after its run was accepted, for `retry`; an open run keeps it
/// longer.
inline constexpr engine::base::Duration kUploadedTreeLife = std::chrono::hours(30 * 24);

/// What the job's result refers to; kept as long as the job says, from `ended_at` on.
void AddWanted(const engine::model::JobSpec& job, const engine::model::JobResult& result,
               engine::base::Instant ended_at, std::vector<WantedChunk>& wanted);

/// Adds all chunks of `wanted` to `keep`. What cannot be read any more wants nothing; an error of
/// the store is returned.
engine::base::Status MarkWanted(engine::ports::ArtifactStore& chunks, const WantedChunk& wanted,
                                std::set<engine::base::Digest>& keep);

/// As a line of text, without its end, and back.
std::string EncodeWanted(const WantedChunk& wanted);
std::optional<WantedChunk> DecodeWanted(std::string_view line);

}  // namespace apps
