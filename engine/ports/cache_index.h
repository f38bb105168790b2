// SPDX-License-Identifier: Apache-2.0
// Which caches one attempt may restore, and where it saves its own: what lies in them is chunks of
// the artifact store. Whose caches it sees (its branch's, then the default branch's) was settled
// when it was made. Threads: safe to call from several; calls block.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/run_context.h"

namespace engine::ports {

class CacheIndex {
 public:
  virtual ~CacheIndex() = default;

  /// The cache saved under `key`; else, for each of `restore_keys` in turn, the newest whose key
  /// begins with it. `Artifact::name` is the key that was found. Counts as a use of it.
  virtual base::StatusOr<std::optional<model::Artifact>> Find(
      const std::string& key, const std::vector<std::string>& restore_keys) = 0;

  /// Saves `content`, whose chunks are stored already, under its name. `AlreadyExists`: somebody
  /// else saved that key first, and theirs stays.
  virtual base::Status Add(const model::Artifact& content) = 0;

  /// `content`, as `Find` gave it, cannot be read: its key is free again.
  virtual base::Status Drop(const model::Artifact& content) = 0;
};

}  // namespace engine::ports
