// SPDX-License-Identifier: Apache-2.0
// A parsed YAML document as a tree of small nodes in an arena of its own. Anchors are shared, never
// copied: an alias is a node that points at its target, so what is read through it knows both where
// it is written and where it is used.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory_resource>
#include <string>
#include <string_view>
#include <utility>

#include "dsl/source_text.h"

namespace dsl {

enum class NodeKind : std::uint8_t { kNull, kScalar, kSequence, kMap, kAlias };

/// 24 bytes, because a file of 100,000 jobs has a million of them. A map's items are key, value,
/// key, value, …
struct Node {
  union {
    const char* text = nullptr;  ///< of a scalar: into the source or the arena
    const Node* items;           ///< of a sequence or map
    const Node* target;          ///< of an alias
  };
  std::uint32_t size = 0;    ///< bytes, or items
  std::uint32_t offset = 0;  ///< where it begins in the source, its anchor and tag included
  NodeKind kind = NodeKind::kNull;
  bool plain = false;  ///< a scalar without quotes and not a block: may be a number, a boolean
  /// Of a map: items behind the first `size` whose keys stand there already. They mean nothing,
  /// but what is wrong inside of them can be told.
  std::uint32_t repeated = 0;
};

/// Owns the text and the nodes. Stays where it is made: nodes point into it.
struct Document {
  Document(std::string path, std::string text, std::uint32_t file_index)
      : source(std::move(path), std::move(text)), file(file_index) {}
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  SourceText source;
  std::uint32_t file;  ///< index into `Plan::files`
  std::pmr::monotonic_buffer_resource memory;
  Node root;
};

/// Something a diagnostic points at.
struct Place {
  const Document* document = nullptr;
  Span span;
  const Node* alias = nullptr;  ///< the alias it was reached through
};

/// A node as it was reached; aliases are followed. Cheap to copy; lives no longer than the
/// document.
class NodeRef {
 public:
  NodeRef() = default;
  NodeRef(const Document& document, const Node& node, const Node* alias = nullptr)
      : document_(&document), node_(&node), alias_(alias) {
    while (node_->kind == NodeKind::kAlias) {
      alias_ = node_;
      node_ = node_->target;
    }
  }

  explicit operator bool() const { return node_ != nullptr; }
  NodeKind kind() const { return node_->kind; }
  bool is_null() const { return kind() == NodeKind::kNull; }
  bool is_scalar() const { return kind() == NodeKind::kScalar; }
  bool is_sequence() const { return kind() == NodeKind::kSequence; }
  bool is_map() const { return kind() == NodeKind::kMap; }
  bool plain() const { return node_->plain; }
  /// Of a scalar; empty for anything else.
  std::string_view text() const {
    return is_scalar() ? std::string_view(node_->text, node_->size) : std::string_view();
  }
  /// Of a sequence.
  std::uint32_t size() const { return is_sequence() ? node_->size : 0; }
  NodeRef operator[](std::uint32_t index) const {
    return NodeRef(*document_, node_->items[index], alias_);
  }
  /// Of a map.
  std::uint32_t entries() const { return is_map() ? node_->size / 2 : 0; }
  NodeRef key(std::uint32_t entry) const { return (*this)[2 * entry]; }
  NodeRef value(std::uint32_t entry) const { return (*this)[2 * entry + 1]; }
  /// Of a map: entries behind the others, reached by `key` and `value`, whose keys were given
  /// before. A problem is reported for each; only further checks look at them.
  std::uint32_t repeated_entries() const { return is_map() ? node_->repeated / 2 : 0; }

  const Document& document() const { return *document_; }
  const Node& node() const { return *node_; }
  const Node* alias() const { return alias_; }
  std::uint32_t offset() const { return node_->offset; }

  /// The scalar with its quotes; of a collection the rest of its first line.
  Place place() const;
  /// `length` bytes of a scalar's value, from `position`.
  Place PlaceInside(std::size_t position, std::size_t length) const;
  LineColumn At() const { return document_->source.At(place().span.begin); }

 private:
  const Document* document_ = nullptr;
  const Node* node_ = nullptr;
  const Node* alias_ = nullptr;
};

/// "text", "a list", "a map", "empty": for messages.
std::string_view Describe(NodeKind kind);

}  // namespace dsl
