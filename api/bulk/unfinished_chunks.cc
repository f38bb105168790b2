// SPDX-License-Identifier: Apache-2.0
#include "api/bulk/unfinished_chunks.h"

#include <algorithm>

namespace api::bulk {

void UnfinishedChunks::Keep(const Key& key, std::string bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes.empty() || bytes.size() > bytes_max_) {
    return;
  }
  std::erase(order_, key);
  bytes_ -= chunks_[key].size();
  bytes_ += bytes.size();
  chunks_[key] = std::move(bytes);
  order_.push_back(key);
  while (bytes_ > bytes_max_) {
    const auto oldest = chunks_.find(order_.front());
    bytes_ -= oldest->second.size();
    chunks_.erase(oldest);
    order_.pop_front();
  }
}

std::string UnfinishedChunks::Take(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = chunks_.find(key);
  if (found == chunks_.end()) {
    return {};
  }
  std::string bytes = std::move(found->second);
  bytes_ -= bytes.size();
  chunks_.erase(found);
  std::erase(order_, key);
  return bytes;
}

std::uint64_t UnfinishedChunks::Received(const Key& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = chunks_.find(key);
  return found == chunks_.end() ? 0 : found->second.size();
}

}  // namespace api::bulk
