// SPDX-License-Identifier: Apache-2.0
// The caches of local runs: one index in the state folder for all repositories, opened when the
// first job wants one. Threads: safe to call from several.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "engine/base/status.h"
#include "engine/model/run_context.h"
#include "engine/ports/cache_index.h"
#include "store/caches/folder_caches.h"

namespace apps {

/// With the bounds that this user set (`DAYFLY_CACHES_BYTES_MAX`), else the default ones.
engine::base::StatusOr<std::unique_ptr<store::caches::FolderCaches>> OpenCaches(
    const std::string& folder, std::function<engine::base::Instant()> now);

class LocalCaches {
 public:
  explicit LocalCaches(std::string folder) : folder_(std::move(folder)) {}

  /// What a run of this context may use; null when the index cannot be opened. Outlived by this.
  std::shared_ptr<engine::ports::CacheIndex> Of(const engine::model::RunContext& context);

 private:
  const std::string folder_;
  std::mutex mutex_;
  std::unique_ptr<store::caches::FolderCaches> caches_;
};

}  // namespace apps
