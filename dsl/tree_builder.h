// SPDX-License-Identifier: Apache-2.0
// Turns a reader's events into a document's nodes; checks what YAML leaves to the application: keys
// that are plain words and occur once, aliases that end, depth and expansion within bounds.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "dsl/document.h"
#include "dsl/reporter.h"

namespace dsl {

/// Deeper nesting is refused: nothing readable needs it, and everything that walks a document may
/// recurse.
inline constexpr std::size_t kDepthMax = 64;
/// The same with aliases followed.
inline constexpr std::uint32_t kAliasDepthMax = 128;
/// How many nodes aliases may add to what is written.
inline constexpr std::uint64_t kAliasNodesMax = 4'000'000;

class TreeBuilder {
 public:
  TreeBuilder(Document& document, Reporter& reporter) : document_(document), reporter_(reporter) {}

  /// Anchors count from 1 in the order of their first appearance; 0: none. `text` must outlive the
  /// call only.
  void Null(std::uint32_t offset, std::uint32_t anchor);
  void Scalar(std::uint32_t offset, std::uint32_t anchor, std::string_view text, bool plain);
  void Alias(std::uint32_t offset, std::uint32_t anchor);
  void OpenSequence(std::uint32_t offset, std::uint32_t anchor);
  void OpenMap(std::uint32_t offset, std::uint32_t anchor);
  void Close();
  /// The document ended; `document.root` stands. False, which is reported, when aliases make it too
  /// large to be walked.
  bool Finish();

  bool too_deep() const { return too_deep_; }

 private:
  /// What a node becomes when its aliases are followed.
  struct Measure {
    std::uint64_t nodes = 1;
    std::uint32_t depth = 0;
  };
  struct Open {
    NodeKind kind;
    std::uint32_t offset;
    std::uint32_t anchor;
    std::size_t base;  // where its items begin in `pending_`
  };
  struct Target {
    Node* node;  // in the document's memory: aliases point at it
    Measure measure;
    bool complete = false;
  };

  void OpenCollection(NodeKind kind, std::uint32_t offset, std::uint32_t anchor);
  void Push(const Node& node, Measure measure, std::uint32_t anchor);
  Measure MeasureFrom(std::size_t base) const;
  void ReportDepth(std::uint32_t offset);
  Target& TargetOf(std::uint32_t anchor);
  /// Reports keys that cannot stand; takes their entries out, or, when only the key stands twice,
  /// moves them behind the others. The number of items so moved.
  std::uint32_t CheckKeys(std::size_t base);
  bool KeyIsWord(const Node& key);
  /// Leaves the first entry of each key in `entries` and returns the others.
  std::vector<std::uint32_t> ReportDuplicates(std::vector<std::uint32_t>& entries,
                                              std::size_t base);
  /// Makes `entries`, then `repeated`, the only ones from `base` on.
  void Arrange(const std::vector<std::uint32_t>& entries,
               const std::vector<std::uint32_t>& repeated, std::size_t base);
  const char* Keep(std::uint32_t offset, std::string_view text);

  Document& document_;
  Reporter& reporter_;
  std::vector<Node> pending_;
  std::vector<Measure> measures_;  // of each pending node
  std::vector<Open> open_;
  std::vector<Target> targets_;
  std::uint64_t written_ = 0;
  std::size_t skipping_ = 0;  // collections open below the deepest that counts
  bool too_deep_ = false;
};

}  // namespace dsl
