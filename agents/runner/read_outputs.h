// SPDX-License-Identifier: Apache-2.0
// Which outputs of its needs a job has to be told. A server asks before it sends an assignment, so
// that a message holds what is read, not all that a thousand jobs left.
#pragma once

#include <cstdint>

#include "agents/runner/compiled_spec.h"
#include "engine/base/status.h"
#include "engine/model/effect.h"

namespace agents::runner {

/// What a job may read of its needs' outputs, together: it waits in its worker's memory until the
/// job is over, and its sandbox keeps it for an agent that begins again.
inline constexpr std::uint64_t kReadBytesMax = 12ULL << 20;

/// False: no need left any, and `KeepReadOutputs` changes nothing.
bool HasOutputs(const engine::model::Assignment& assignment);

/// Leaves of the outputs those that an expression of the job may read; of several cells' that have
/// one name the last's, which is the one that counts. When these have more than `kReadBytesMax`,
/// they stand there as spilled ones without their text, and the worker says that they are too large
/// (`CheckReadBytes`).
void KeepReadOutputs(const CompiledSpec& spec, engine::model::Assignment& assignment);

/// Behind `KeepReadOutputs`. `InvalidArgument`, for the author: more than `kReadBytesMax` are left.
engine::base::Status CheckReadBytes(const engine::model::Assignment& assignment);

}  // namespace agents::runner
