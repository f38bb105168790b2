// SPDX-License-Identifier: Apache-2.0
// The beginnings of chunks whose transfer was cut off, in memory, so that it can go on. Bounded:
// what lay here longest is forgotten, and sent from its beginning. Threads: any.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "engine/base/digest.h"
#include "engine/model/ids.h"

namespace api::bulk {

class UnfinishedChunks {
 public:
  explicit UnfinishedChunks(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// One worker's bytes are never continued by another: they are not checked yet.
  using Key = std::pair<engine::model::WorkerId, engine::base::Digest>;
  void Keep(const Key& key, std::string bytes);
  /// Takes it out; empty when there is none.
  std::string Take(const Key& key);
  std::uint64_t Received(const Key& key) const;

 private:
  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::map<Key, std::string> chunks_;
  std::deque<Key> order_;  ///< the oldest first
  std::uint64_t bytes_ = 0;
};

}  // namespace api::bulk
