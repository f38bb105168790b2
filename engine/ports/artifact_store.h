// SPDX-License-Identifier: Apache-2.0
// Chunks by content digest: plans' big outputs, artifacts, their manifests. Threads: safe to call
// from several.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/digest.h"
#include "engine/base/status.h"

namespace engine::ports {

/// Largest chunk; longer files are split.
inline constexpr std::uint64_t kChunkBytesMax = 4ULL << 20;

class ArtifactStore {
 public:
  virtual ~ArtifactStore() = default;
  /// Stores `bytes` and returns its name. Repeat-safe; durable when it returns.
  virtual base::StatusOr<base::Digest> Put(std::string_view bytes) = 0;
  /// `NotFound`, or `DataLoss` when what is stored does not match its name.
  virtual base::StatusOr<std::string> Get(const base::Digest& digest) = 0;
  virtual base::StatusOr<bool> Has(const base::Digest& digest) = 0;
};

}  // namespace engine::ports
