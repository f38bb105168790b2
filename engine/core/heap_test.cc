// SPDX-License-Identifier: Apache-2.0
#include "engine/core/heap.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace engine::core {
namespace {

std::vector<std::uint32_t>& Positions() {
  static std::vector<std::uint32_t> positions;
  return positions;
}

struct Entry {
  std::uint64_t key = 0;
  std::size_t id = 0;
};
struct EntryLess {
  bool operator()(const Entry& a, const Entry& b) const {
    return a.key != b.key ? a.key < b.key : a.id < b.id;
  }
};
struct EntryTrack {
  void operator()(const Entry& entry, std::uint32_t position) const {
    Positions()[entry.id] = position;
  }
};

// Against an ordered set, through changes and removals in the middle.
TEST(Heap, ComesOutInOrderWhateverWasChanged) {
  constexpr std::size_t kEntries = 500;
  base::Random random(3);
  Positions().assign(kEntries, kNotInHeap);
  Heap<Entry, EntryLess, EntryTrack> heap;
  std::set<std::pair<std::uint64_t, std::size_t>> model;
  std::vector<std::uint64_t> keys(kEntries);
  for (int round = 0; round < 20'000; ++round) {
    const std::size_t id = random.Below(kEntries);
    const std::uint64_t key = random.Below(1000);
    if (Positions()[id] == kNotInHeap) {
      heap.Push({.key = key, .id = id});
      model.emplace(key, id);
    } else if (random.OneIn(1, 2)) {
      model.erase({keys[id], id});
      heap.Change(Positions()[id], {.key = key, .id = id});
      model.emplace(key, id);
    } else {
      model.erase({keys[id], id});
      heap.Remove(Positions()[id]);
      ASSERT_EQ(Positions()[id], kNotInHeap);
    }
    keys[id] = key;
    ASSERT_EQ(heap.size(), model.size());
    if (!model.empty()) {
      ASSERT_EQ(heap.top().id, model.begin()->second);
    }
  }
}

}  // namespace
}  // namespace engine::core
