// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/tree_shelf.h"

#include <algorithm>

namespace agents::runner {

using engine::ports::TreeRequest;

std::optional<std::string> TreeShelf::Borrow(const TreeRequest& request) {
  const auto found = std::ranges::find(entries_, request, &Entry::request);
  if (found == entries_.end()) {
    return std::nullopt;
  }
  ++found->users;
  entries_.splice(entries_.begin(), entries_, found);
  return found->folder;
}

void TreeShelf::Add(const TreeRequest& request, const std::string& folder) {
  if (Borrow(request).has_value()) {
    // Two slots wanted it at the same time: the source counted both.
    git_->ReleaseTree(folder);
    return;
  }
  entries_.push_front({.request = request, .folder = folder, .users = 1});
}

void TreeShelf::Return(const std::string& folder) {
  const auto found = std::ranges::find_if(
      entries_, [&](const Entry& each) { return each.folder == folder && each.users > 0; });
  if (found != entries_.end()) {
    --found->users;
    DropIdle();
  }
}

void TreeShelf::DropIdle() {
  std::size_t idle = 0;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    idle += entry->users == 0 ? 1 : 0;
    if (entry->users == 0 && idle > kIdleMost) {
      git_->ReleaseTree(entry->folder);
      entry = entries_.erase(entry);
    } else {
      ++entry;
    }
  }
}

}  // namespace agents::runner
