// SPDX-License-Identifier: Apache-2.0
// A parsed YAML document as a tree of small nodes in an arena of its own. What is shared is never
// copied: an alias points at its target, and a value that a template or another file gave is a
// graft that points at its origin. So whatever is read knows where it is written and where it is
// used.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory_resource>
#include <string>
#include <string_view>
#include <utility>

#include "dsl/source_text.h"

namespace dsl {

struct Document;
struct Graft;

/// The last two stand for other nodes; `NodeRef` follows them.
enum class NodeKind : std::uint8_t { kNull, kScalar, kSequence, kMap, kAlias, kGraft };

/// 24 bytes, because a file of 100,000 jobs has a million of them. A map's items are key, value,
/// key, value, …
struct Node {
  union {
    const char* text = nullptr;  ///< of a scalar: into the source or the arena
    const Node* items;           ///< of a sequence or map
    const Node* target;          ///< of an alias
    const Graft* graft;
  };
  std::uint32_t size = 0;    ///< bytes, or items
  std::uint32_t offset = 0;  ///< where it begins in the source, its anchor and tag included
  NodeKind kind = NodeKind::kNull;
  bool plain = false;  ///< a scalar without quotes and not a block: may be a number, a boolean
  /// Of a map: items behind the first `size` whose keys stand there already. They mean nothing,
  /// but what is wrong inside of them can be told.
  std::uint32_t repeated = 0;
};

/// How a value came from where it is written to where it is read: one use of a template, and how
/// that place was itself reached. Shared by all values that came the same way.
enum class Via : std::uint8_t { kExtends, kUse };
struct Trail {
  Via via = Via::kExtends;
  const Document* document = nullptr;  ///< where the template is named
  Span span;
  const Trail* outer = nullptr;  ///< of that place; null: it stands in the pipeline itself
};

/// A value reached elsewhere. `node` is never a graft itself: trails are complete when it is made.
struct Graft {
  const Document* document = nullptr;
  const Node* node = nullptr;
  const Node* alias = nullptr;
  const Trail* trail = nullptr;
  /// The scalar that this one was computed from, by putting in a template's inputs; null: `node`.
  const Node* written = nullptr;
};

/// Where a file is included; no document: it is the pipeline's own.
struct Inclusion {
  const Document* document = nullptr;
  Span span;
};

/// Owns the text and the nodes. Stays where it is made: nodes point into it.
struct Document {
  Document(std::string path, std::string text, std::uint32_t file_index)
      : source(std::move(path), std::move(text)), file(file_index) {}
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  SourceText source;
  std::uint32_t file;  ///< index into `Plan::files`
  Inclusion inclusion;
  std::pmr::monotonic_buffer_resource memory;
  Node root;
};

/// Something a diagnostic points at.
struct Place {
  const Document* document = nullptr;
  Span span;
  const Node* alias = nullptr;   ///< the alias it was reached through
  const Trail* trail = nullptr;  ///< the templates it was reached through
};

/// A node as it was reached; aliases and grafts are followed. Cheap to copy; lives no longer than
/// the document.
class NodeRef {
 public:
  NodeRef() = default;
  NodeRef(const Document& document, const Node& node, const Node* alias = nullptr,
          const Graft* graft = nullptr)
      : document_(&document), node_(&node), alias_(alias), graft_(graft) {
    while (node_->kind >= NodeKind::kAlias) {
      Follow();
    }
  }
  explicit NodeRef(const Graft& graft)
      : NodeRef(*graft.document, *graft.node, graft.alias, &graft) {}

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
    return NodeRef(*document_, node_->items[index], alias_, graft_);
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
  const Graft* graft() const { return graft_; }
  const Trail* trail() const { return graft_ == nullptr ? nullptr : graft_->trail; }
  /// What the file holds: the node, or the scalar that it was computed from.
  const Node& written() const { return is_computed() ? *graft_->written : *node_; }
  bool is_computed() const {
    return graft_ != nullptr && graft_->written != nullptr && graft_->node == node_;
  }
  /// It stands in `document` itself, reached by nothing but its place.
  bool is_own_of(const Document& document) const {
    return document_ == &document && alias_ == nullptr && trail() == nullptr && !is_computed();
  }
  std::uint32_t offset() const { return node_->offset; }

  /// The scalar with its quotes; of a collection the rest of its first line.
  Place place() const;
  /// `length` bytes of a scalar's value, from `position`.
  Place PlaceInside(std::size_t position, std::size_t length) const;
  LineColumn At() const { return document_->source.At(place().span.begin); }

 private:
  void Follow() {
    if (node_->kind == NodeKind::kAlias) {
      alias_ = node_;
      node_ = node_->target;
      return;
    }
    graft_ = node_->graft;
    document_ = graft_->document;
    alias_ = graft_->alias;
    node_ = graft_->node;
  }

  const Document* document_ = nullptr;
  const Node* node_ = nullptr;
  const Node* alias_ = nullptr;   // the nearest on the way here
  const Graft* graft_ = nullptr;  // the nearest on the way here
};

/// "text", "a list", "a map", "empty": for messages.
std::string_view Describe(NodeKind kind);

}  // namespace dsl
