// SPDX-License-Identifier: Apache-2.0
// A heap with four children a node (fewer levels, neighbours in one cache line),
// smallest on top. With a `Track` that notes positions, entries can be changed and removed in
// place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace engine::core {

inline constexpr std::uint32_t kNotInHeap = 0xffffffff;

struct NoTrack {
  template <typename Entry>
  void operator()(const Entry& /*entry*/, std::uint32_t /*position*/) const {}
};

/// `Less` orders totally: two different entries never compare equal, so that the order in which
/// entries come out does not depend on how they got in.
template <typename Entry, typename Less, typename Track = NoTrack>
class Heap {
 public:
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  const Entry& top() const { return entries_.front(); }
  const Entry& at(std::uint32_t position) const { return entries_[position]; }
  const std::vector<Entry>& entries() const { return entries_; }

  void Push(Entry entry) {
    entries_.push_back(std::move(entry));
    SiftUp(entries_.size() - 1);
  }
  void Pop() { Remove(0); }
  void Remove(std::uint32_t position) {
    Track()(entries_[position], kNotInHeap);
    Entry last = std::move(entries_.back());
    entries_.pop_back();
    if (position < entries_.size()) {
      entries_[position] = std::move(last);
      Moved(position);
    }
  }
  /// `entry` replaces the one at `position`.
  void Change(std::uint32_t position, Entry entry) {
    entries_[position] = std::move(entry);
    Moved(position);
  }

 private:
  static constexpr std::size_t kChildren = 4;

  void Moved(std::size_t position) {
    if (position > 0 && Less()(entries_[position], entries_[(position - 1) / kChildren])) {
      SiftUp(position);
    } else {
      SiftDown(position);
    }
  }

  void Place(std::size_t position, Entry entry) {
    entries_[position] = std::move(entry);
    Track()(entries_[position], static_cast<std::uint32_t>(position));
  }

  void SiftUp(std::size_t position) {
    Entry entry = std::move(entries_[position]);
    while (position > 0) {
      const std::size_t parent = (position - 1) / kChildren;
      if (!Less()(entry, entries_[parent])) {
        break;
      }
      Place(position, std::move(entries_[parent]));
      position = parent;
    }
    Place(position, std::move(entry));
  }

  void SiftDown(std::size_t position) {
    Entry entry = std::move(entries_[position]);
    while (true) {
      const std::size_t first = position * kChildren + 1;
      if (first >= entries_.size()) {
        break;
      }
      std::size_t smallest = first;
      const std::size_t end =
          first + kChildren < entries_.size() ? first + kChildren : entries_.size();
      for (std::size_t child = first + 1; child < end; ++child) {
        if (Less()(entries_[child], entries_[smallest])) {
          smallest = child;
        }
      }
      if (!Less()(entries_[smallest], entry)) {
        break;
      }
      Place(position, std::move(entries_[smallest]));
      position = smallest;
    }
    Place(position, std::move(entry));
  }

  std::vector<Entry> entries_;
};

}  // namespace engine::core
