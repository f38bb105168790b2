// SPDX-License-Identifier: Apache-2.0
// Restores a job's caches before its steps and saves them afterwards. Never fails a job: each says
// in a sentence what became of it. Blocks; any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "agents/runner/attempt.h"
#include "engine/ports/artifact_archive.h"
#include "engine/ports/cache_index.h"

namespace agents::runner {

/// What whoever waits for caches looks at and ends them by. Any thread.
struct CacheWatch {
  std::stop_source stop;
  std::atomic<std::uint64_t> moved = 0;
  std::atomic<bool> stalled = false;  ///< `stop` was asked for because too little moved
};

struct CacheTools {
  std::shared_ptr<engine::ports::ArtifactArchive> archive;  ///< null: there is no store
  std::shared_ptr<engine::ports::CacheIndex> index;         ///< null: there are no caches here
  std::string root;  ///< where this process finds the workspace
  std::shared_ptr<CacheWatch> watch;
};

std::vector<CacheRestored> RestoreCaches(const CacheTools& tools,
                                         const std::vector<CacheRequest>& requests);
/// What is to be told; empty when nothing is.
std::string SaveCache(const CacheTools& tools, const CacheSave& save);

}  // namespace agents::runner
