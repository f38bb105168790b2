// SPDX-License-Identifier: Apache-2.0
// Finds many patterns at once in a stream of bytes (Aho and Corasick, 1975): a tree of the
// patterns' prefixes, in which each node also points at the longest of its own suffixes that stands
// in the tree. One step a byte, whatever the number of patterns. Immutable once built.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace executors::masking {

class PatternTree {
 public:
  /// A node; 0 is the root. While reading, it stands for the longest end of what was read that
  /// begins a pattern.
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0;

  PatternTree() : PatternTree(std::vector<std::string>{}) {}
  /// Empty and repeated patterns count for nothing. 24 bytes of memory a byte of pattern.
  explicit PatternTree(std::vector<std::string> patterns);

  bool empty() const { return nodes_.size() == 1; }

  Node Next(Node from, char byte) const;
  /// How many of the bytes read last begin a pattern.
  std::size_t Depth(Node node) const { return nodes_[node].depth; }
  /// The length of the longest pattern that ends here; 0: none does.
  std::size_t Match(Node node) const { return nodes_[node].match; }
  /// How many of `bytes` lead from the root to the root.
  std::size_t CountIdle(std::string_view bytes) const;

 private:
  struct Entry {
    Node shorter = kRoot;  ///< the longest proper suffix in the tree
    Node first_child = kRoot;
    Node next_sibling = kRoot;
    std::uint32_t depth = 0;
    std::uint32_t match = 0;
    char byte = 0;
  };
  void Insert(std::string_view pattern, std::string_view before, std::vector<Node>& path);
  void LinkSuffixes();
  Node Child(Node parent, char byte) const;

  std::vector<Entry> nodes_;
  std::array<Node, 256> first_{};  ///< the root's children by their byte
};

}  // namespace executors::masking
