// SPDX-License-Identifier: Apache-2.0
// The unfolded trees that the slots of a runner mount: shared by slots that want the same, kept for
// the next job for a while, given back when others push them out. On the runner's thread.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>

#include "engine/ports/git_source.h"

namespace agents::runner {

class TreeShelf {
 public:
  /// Trees that no slot mounts and that are kept all the same.
  static constexpr std::size_t kIdleMost = 8;

  /// `git` may be null; outlives this.
  explicit TreeShelf(engine::ports::GitSource* git) : git_(git) {}

  /// The folder of a tree that is here, which now has one user more.
  std::optional<std::string> Borrow(const engine::ports::TreeRequest& request);
  /// A tree that was just unfolded, with one user.
  void Add(const engine::ports::TreeRequest& request, const std::string& folder);
  /// One user less.
  void Return(const std::string& folder);

 private:
  struct Entry {
    engine::ports::TreeRequest request;
    std::string folder;
    std::size_t users = 0;
  };
  void DropIdle();

  engine::ports::GitSource* git_;
  std::list<Entry> entries_;  ///< used last first
};

}  // namespace agents::runner
