// SPDX-License-Identifier: Apache-2.0
#include "executors/masking/pattern_tree.h"

#include <algorithm>

namespace executors::masking {

PatternTree::PatternTree(std::vector<std::string> patterns) : nodes_(1) {
  std::ranges::sort(patterns);
  std::vector<Node> path = {kRoot};
  std::string_view before;
  for (const std::string& pattern : patterns) {
    Insert(pattern, before, path);
    before = pattern;
  }
  LinkSuffixes();
}

/// `path` leads to `before`, the pattern in front of this one in their order: so what both begin
/// with is there already, and a new node is always the last child of its parent.
void PatternTree::Insert(std::string_view pattern, std::string_view before,
                         std::vector<Node>& path) {
  const auto common =
      static_cast<std::size_t>(std::ranges::mismatch(pattern, before).in1 - pattern.begin());
  Node elder = path.size() > common + 1 ? path[common + 1] : kRoot;
  path.resize(common + 1);
  for (const char byte : pattern.substr(common)) {
    const auto node = static_cast<Node>(nodes_.size());
    const Node parent = path.back();
    nodes_.push_back({.depth = nodes_[parent].depth + 1, .byte = byte});
    if (parent == kRoot) {
      first_[static_cast<unsigned char>(byte)] = node;
    }
    (elder != kRoot ? nodes_[elder].next_sibling : nodes_[parent].first_child) = node;
    elder = kRoot;
    path.push_back(node);
  }
  if (path.size() > 1) {
    nodes_[path.back()].match = nodes_[path.back()].depth;
  }
}

/// Level by level: a suffix is shorter, so its own links are complete.
void PatternTree::LinkSuffixes() {
  std::vector<Node> queue = {kRoot};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const Node parent = queue[i];
    for (Node node = nodes_[parent].first_child; node != kRoot; node = nodes_[node].next_sibling) {
      queue.push_back(node);
      Entry& entry = nodes_[node];
      entry.shorter = parent == kRoot ? kRoot : Next(nodes_[parent].shorter, entry.byte);
      entry.match = std::max(entry.match, nodes_[entry.shorter].match);
    }
  }
}

PatternTree::Node PatternTree::Child(Node parent, char byte) const {
  if (parent == kRoot) {
    return first_[static_cast<unsigned char>(byte)];
  }
  Node node = nodes_[parent].first_child;
  while (node != kRoot && nodes_[node].byte != byte) {
    node = nodes_[node].next_sibling;
  }
  return node;
}

PatternTree::Node PatternTree::Next(Node from, char byte) const {
  while (true) {
    const Node child = Child(from, byte);
    if (child != kRoot || from == kRoot) {
      return child;
    }
    from = nodes_[from].shorter;
  }
}

std::size_t PatternTree::CountIdle(std::string_view bytes) const {
  std::size_t count = 0;
  while (count < bytes.size() && first_[static_cast<unsigned char>(bytes[count])] == kRoot) {
    ++count;
  }
  return count;
}

}  // namespace executors::masking
