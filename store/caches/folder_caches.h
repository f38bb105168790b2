// SPDX-License-Identifier: Apache-2.0
// The index of caches in a folder, one small file a cache; their content lies in a chunk store.
//
//   <folder>/<scope's SHA-256>/<key's SHA-256>   what was saved; its modification time is its last
//   use <folder>/tmp/<pid>-<n>                       being written
//
// An entry is written aside, flushed, and linked under its name, which fails when there is one: so
// a saver that is killed leaves nothing, and of two at once one wins. Any number of processes may
// share the folder. Threads: safe to call from several.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/plan.h"
#include "engine/model/run_context.h"
#include "engine/ports/cache_index.h"
#include "store/caches/cache_scope.h"

namespace store::caches {

struct SavedCache {
  std::string scope;
  engine::model::Artifact content;  ///< its name is the key
  engine::base::Instant saved_at;
  engine::base::Instant used_at;
};

struct FolderCachesOptions {
  /// Of all caches together; beyond, those whose last use is longest ago go.
  std::uint64_t bytes_max = engine::model::DefaultSettings().caches_bytes_max;
  /// Those that were not used for so long go.
  engine::base::Duration expire = engine::model::DefaultSettings().caches_expire;
  std::function<engine::base::Instant()> now;  ///< the wall clock
};

class FolderCaches {
 public:
  /// Makes the folder when it is missing.
  static engine::base::StatusOr<std::unique_ptr<FolderCaches>> Open(const std::string& folder,
                                                                    FolderCachesOptions options);

  /// As `CacheIndex`: the very key in any scope, then beginnings in the own one, then in the
  /// others.
  engine::base::StatusOr<std::optional<engine::model::Artifact>> Find(
      const CacheScopes& scopes, const std::string& key,
      const std::vector<std::string>& restore_keys);
  /// Also trims to `bytes_max`, never what was just added.
  engine::base::Status Add(const std::string& scope, const engine::model::Artifact& content);
  engine::base::Status Drop(const CacheScopes& scopes, const engine::model::Artifact& content);

  /// All there are, those used last first. What cannot be read is left out.
  std::vector<SavedCache> List() const;
  /// Removes what is too old or too much, and what dead savers left; says how many.
  std::uint32_t Sweep();

 private:
  FolderCaches(std::string folder, FolderCachesOptions options)
      : folder_(std::move(folder)), options_(std::move(options)) {}
  std::string PathOf(const std::string& scope, const std::string& key) const;
  std::optional<SavedCache> Read(const std::string& path) const;
  std::vector<SavedCache> ListFolder(const std::string& folder) const;
  std::optional<SavedCache> FindIn(const std::string& scope, const std::string& key,
                                   const std::vector<std::string>& restore_keys) const;
  std::uint32_t Trim(const std::string& but_not);

  const std::string folder_;
  const FolderCachesOptions options_;
};

/// What one run sees of them.
class ScopedCaches final : public engine::ports::CacheIndex {
 public:
  /// `caches` outlives it.
  ScopedCaches(FolderCaches& caches, CacheScopes scopes)
      : caches_(caches), scopes_(std::move(scopes)) {}
  engine::base::StatusOr<std::optional<engine::model::Artifact>> Find(
      const std::string& key, const std::vector<std::string>& restore_keys) override {
    return caches_.Find(scopes_, key, restore_keys);
  }
  engine::base::Status Add(const engine::model::Artifact& content) override {
    return caches_.Add(scopes_.own, content);
  }
  engine::base::Status Drop(const engine::model::Artifact& content) override {
    return caches_.Drop(scopes_, content);
  }

 private:
  FolderCaches& caches_;
  const CacheScopes scopes_;
};

}  // namespace store::caches
