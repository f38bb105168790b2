// SPDX-License-Identifier: Apache-2.0
// The bare repositories that an agent has fetched: who uses which, and which go when they are not
// used for long or are too much for the disk. One that is gone is fetched again. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace store::git {

struct RepositoryLimits {
  std::chrono::hours unused_max = std::chrono::hours(24 * 30);
  std::uint64_t bytes_max = std::uint64_t{20} << 30;  ///< together; those in use may exceed it
};

class RepositoryShelf {
 public:
  /// `folder` holds nothing but repositories, `NAME.git` each.
  RepositoryShelf(std::string folder, RepositoryLimits limits)
      : folder_(std::move(folder)), limits_(limits) {}

  std::string PathOf(const std::string& name) const { return folder_ + "/" + name + ".git"; }
  /// It stays until it was let go as often as it was held.
  void Hold(const std::string& path);
  void LetGo(const std::string& path);
  /// Removes what nobody holds: what was not used for `unused_max`, then what was used longest ago,
  /// until the rest fits. Walks all files: to be called before a fetch, which takes longer.
  void MakeRoom();

 private:
  std::string folder_;
  RepositoryLimits limits_;
  std::mutex mutex_;
  std::map<std::string, std::uint32_t> held_;
};

}  // namespace store::git
