// SPDX-License-Identifier: Apache-2.0
// Outputs that are too large for the run's log (docs/steps.md): which of a job's own go to the
// artifact store, and which of its needs' it has to fetch from there before its first step.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/status.h"
#include "engine/model/effect.h"
#include "engine/model/plan.h"
#include "engine/model/run_context.h"
#include "engine/ports/artifact_archive.h"

namespace agents::runner {

/// JSON texts by the chunk that holds them.
using SpilledTexts = std::map<engine::base::Digest, std::string>;

/// A job's outputs, each in one of the two.
struct SortedOutputs {
  std::vector<engine::model::NamedValue> kept;
  std::vector<engine::model::SpilledOutput> spilled;
  SpilledTexts texts;  ///< of `spilled`
};

/// Spills each output above `Defaults::inline_output_bytes`, and if those left are more than
/// `inline_outputs_bytes` together the largest of them; none that the engine reads itself.
/// `InvalidArgument`, for the author: one is larger than a chunk, or those that the engine reads
/// are too large together.
engine::base::StatusOr<SortedOutputs> SortOutputs(std::vector<engine::model::NamedValue> outputs,
                                                  const std::vector<std::string>& engine_outputs);

/// One that a need left; see `KeepReadOutputs`.
struct WantedOutput {
  engine::model::SpilledOutput output;
  std::string job;  ///< the need's name
};
/// Each chunk once.
std::vector<WantedOutput> WantedOutputs(const engine::model::Assignment& assignment);

/// Blocks. `FailedPrecondition`: one is gone for good. Other errors are the store's.
engine::base::StatusOr<SpilledTexts> FetchOutputs(engine::ports::ArtifactArchive& archive,
                                                  const std::vector<WantedOutput>& wanted,
                                                  const std::stop_token& stop);

}  // namespace agents::runner
