// SPDX-License-Identifier: Apache-2.0
#include "dsl/merge.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "dsl/fields.h"

namespace dsl {
namespace {

/// What the layers say about one key: a single value, or maps that are to be merged. Empty: taken
/// away again.
struct Slot {
  NodeRef key;
  std::vector<Layer> values;
};

class Slots {
 public:
  void Add(const Entry& entry) {
    const auto [found, is_new] = index_.emplace(entry.key.text(), slots_.size());
    if (is_new) {
      slots_.push_back({entry.key, {Layer{entry.value}}});
      return;
    }
    Slot& slot = slots_[found->second];
    if (entry.value.is_null() && !slot.values.empty()) {
      slot.values.clear();
      return;
    }
    const bool merges =
        entry.value.is_map() && !slot.values.empty() && slot.values.back().map.is_map();
    if (!merges) {
      slot.values.clear();
    }
    slot.key = entry.key;
    slot.values.push_back({entry.value});
  }
  const std::vector<Slot>& slots() const { return slots_; }

 private:
  std::vector<Slot> slots_;
  std::unordered_map<std::string_view, std::size_t> index_;
};

}  // namespace

NodeRef MergeMaps(std::span<const Layer> layers, Arena& arena, Reporter& reporter) {
  Slots slots;
  for (const Layer& layer : layers) {
    const auto hidden = [&](std::string_view key) {
      return std::find(layer.without.begin(), layer.without.end(), key) != layer.without.end();
    };
    for (const Entry& entry : EntriesOf(layer.map, reporter)) {
      if (!hidden(entry.key.text())) {
        slots.Add(entry);
      }
    }
  }
  const NodeRef last = layers.back().map;
  std::vector<Node> items;
  for (const Slot& slot : slots.slots()) {
    if (slot.values.empty()) {
      continue;
    }
    const NodeRef value =
        slot.values.size() == 1 ? slot.values.front().map : MergeMaps(slot.values, arena, reporter);
    items.push_back(ItemOf(last.document(), slot.key, arena));
    items.push_back(ItemOf(last.document(), value, arena));
  }
  Node map;
  map.kind = NodeKind::kMap;
  map.offset = last.offset();
  map.size = static_cast<std::uint32_t>(items.size());
  map.items = arena.KeepAll(items);
  return NodeRef(
      *arena.Keep(Graft{&last.document(), arena.Keep(map), last.alias(), last.trail(), nullptr}));
}

}  // namespace dsl
