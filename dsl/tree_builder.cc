// SPDX-License-Identifier: Apache-2.0
#include "dsl/tree_builder.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include <fmt/format.h>

namespace dsl {
namespace {

std::uint64_t SaturatingAdd(std::uint64_t a, std::uint64_t b) {
  return a > ~b ? ~0ULL : a + b;
}

/// Few keys are compared with each other; more are sorted.
constexpr std::size_t kFewKeys = 12;

}  // namespace

void TreeBuilder::Null(std::uint32_t offset, std::uint32_t anchor) {
  Node node;
  node.offset = offset;
  Push(node, {}, anchor);
}

void TreeBuilder::Scalar(std::uint32_t offset, std::uint32_t anchor, std::string_view text,
                         bool plain) {
  if (skipping_ > 0) {
    return;
  }
  Node node;
  node.text = Keep(offset, text);
  node.size = static_cast<std::uint32_t>(text.size());
  node.offset = offset;
  node.kind = NodeKind::kScalar;
  node.plain = plain;
  Push(node, {}, anchor);
}

/// Most scalars stand in the source as they are; the others are copied.
const char* TreeBuilder::Keep(std::uint32_t offset, std::string_view text) {
  const std::string_view source = document_.source.text();
  for (const std::uint32_t quote : {0U, 1U}) {
    if (offset + quote + text.size() <= source.size() &&
        source.compare(offset + quote, text.size(), text) == 0) {
      return source.data() + offset + quote;
    }
  }
  if (text.empty()) {
    return source.data();
  }
  auto* copy = static_cast<char*>(document_.memory.allocate(text.size(), 1));
  std::memcpy(copy, text.data(), text.size());
  return copy;
}

void TreeBuilder::Alias(std::uint32_t offset, std::uint32_t anchor) {
  Node node;
  node.offset = offset;
  if (skipping_ > 0) {
    return;
  }
  Target& target = TargetOf(anchor);
  if (!target.complete) {
    reporter_.Error("alias-cycle",
                    {&document_, {offset, document_.source.LineEnd(offset)}, nullptr},
                    "this alias stands inside the value it names");
    Push(node, {}, 0);
    return;
  }
  node.kind = NodeKind::kAlias;
  node.target = target.node;
  Push(node, target.measure, 0);
}

void TreeBuilder::OpenSequence(std::uint32_t offset, std::uint32_t anchor) {
  OpenCollection(NodeKind::kSequence, offset, anchor);
}

void TreeBuilder::OpenMap(std::uint32_t offset, std::uint32_t anchor) {
  OpenCollection(NodeKind::kMap, offset, anchor);
}

void TreeBuilder::OpenCollection(NodeKind kind, std::uint32_t offset, std::uint32_t anchor) {
  if (skipping_ > 0 || open_.size() >= kDepthMax) {
    ReportDepth(offset);
    ++skipping_;
    return;
  }
  if (anchor != 0) {
    TargetOf(anchor).complete = false;
  }
  open_.push_back({kind, offset, anchor, pending_.size()});
}

void TreeBuilder::Close() {
  if (skipping_ > 0) {
    // What was left out becomes an empty value, so that keys and values still alternate.
    if (--skipping_ == 0) {
      Null(0, 0);
    }
    return;
  }
  const Open open = open_.back();
  open_.pop_back();
  Node node;
  node.kind = open.kind;
  node.offset = open.offset;
  node.repeated = open.kind == NodeKind::kMap ? CheckKeys(open.base) : 0;
  const std::size_t count = pending_.size() - open.base;
  const Measure measure = MeasureFrom(open.base);
  node.size = static_cast<std::uint32_t>(count) - node.repeated;
  node.items = nullptr;
  if (count > 0) {
    auto* items =
        static_cast<Node*>(document_.memory.allocate(count * sizeof(Node), alignof(Node)));
    std::uninitialized_copy(pending_.begin() + static_cast<std::ptrdiff_t>(open.base),
                            pending_.end(), items);
    node.items = items;
  }
  pending_.resize(open.base);
  measures_.resize(open.base);
  if (measure.depth > kAliasDepthMax) {
    ReportDepth(open.offset);
    node = Node();
    node.offset = open.offset;
    Push(node, {}, open.anchor);
    return;
  }
  Push(node, measure, open.anchor);
}

TreeBuilder::Measure TreeBuilder::MeasureFrom(std::size_t base) const {
  Measure measure;
  for (std::size_t i = base; i < measures_.size(); ++i) {
    measure.nodes = SaturatingAdd(measure.nodes, measures_[i].nodes);
    measure.depth = std::max(measure.depth, measures_[i].depth);
  }
  ++measure.depth;
  return measure;
}

void TreeBuilder::ReportDepth(std::uint32_t offset) {
  if (!too_deep_) {
    const std::uint32_t end = std::min(offset + 1, document_.source.LineEnd(offset));
    reporter_.Error("yaml-too-deep", {&document_, {offset, std::max(offset, end)}, nullptr},
                    fmt::format("nested more than {} levels deep", kDepthMax));
  }
  too_deep_ = true;
}

void TreeBuilder::Push(const Node& node, Measure measure, std::uint32_t anchor) {
  if (skipping_ > 0) {
    return;
  }
  ++written_;
  if (anchor != 0) {
    Target& target = TargetOf(anchor);
    *target.node = node;
    target.measure = measure;
    target.complete = true;
  }
  pending_.push_back(node);
  measures_.push_back(measure);
}

TreeBuilder::Target& TreeBuilder::TargetOf(std::uint32_t anchor) {
  while (targets_.size() < anchor) {
    void* place = document_.memory.allocate(sizeof(Node), alignof(Node));
    targets_.push_back({::new (place) Node(), {}, false});
  }
  return targets_[anchor - 1];
}

bool TreeBuilder::KeyIsWord(const Node& key) {
  const NodeRef ref(document_, key);
  if (ref.is_scalar()) {
    return true;
  }
  reporter_.Error("complex-key", ref.place(),
                  fmt::format("a key must be a word; this one is {}", Describe(ref.kind())));
  return false;
}

std::uint32_t TreeBuilder::CheckKeys(std::size_t base) {
  std::vector<std::uint32_t> entries;  // positions of good keys in `pending_`, from `base`
  const std::size_t count = (pending_.size() - base) / 2;
  bool all_words = true;
  const auto text = [&](std::size_t entry) {
    return NodeRef(document_, pending_[base + 2 * entry]).text();
  };
  for (std::size_t entry = 0; entry < count; ++entry) {
    all_words = KeyIsWord(pending_[base + 2 * entry]) && all_words;
  }
  if (all_words && count <= kFewKeys) {
    bool repeated = false;
    for (std::size_t a = 0; a < count; ++a) {
      for (std::size_t b = a + 1; b < count; ++b) {
        repeated = repeated || text(a) == text(b);
      }
    }
    if (!repeated) {
      return 0;
    }
  }
  for (std::uint32_t entry = 0; entry < count; ++entry) {
    if (NodeRef(document_, pending_[base + 2ULL * entry]).is_scalar()) {
      entries.push_back(entry);
    }
  }
  std::vector<std::uint32_t> repeated = ReportDuplicates(entries, base);
  std::sort(entries.begin(), entries.end());
  std::sort(repeated.begin(), repeated.end());
  Arrange(entries, repeated, base);
  return static_cast<std::uint32_t>(2 * repeated.size());
}

std::vector<std::uint32_t> TreeBuilder::ReportDuplicates(std::vector<std::uint32_t>& entries,
                                                         std::size_t base) {
  const auto key = [&](std::uint32_t entry) {
    return NodeRef(document_, pending_[base + 2ULL * entry]);
  };
  std::stable_sort(entries.begin(), entries.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return key(a).text() < key(b).text(); });
  std::vector<std::uint32_t> repeated;
  std::size_t kept = 0;
  for (const std::uint32_t entry : entries) {
    if (kept == 0 || key(entries[kept - 1]).text() != key(entry).text()) {
      entries[kept++] = entry;
      continue;
    }
    const NodeRef again = key(entry);
    Diagnostic& diagnostic = reporter_.Error(
        "duplicate-key", again.place(), fmt::format("the key `{}` is given twice", again.text()));
    diagnostic.related.push_back(Related(key(entries[kept - 1]).place(), "first given here"));
    repeated.push_back(entry);
  }
  entries.resize(kept);
  return repeated;
}

void TreeBuilder::Arrange(const std::vector<std::uint32_t>& entries,
                          const std::vector<std::uint32_t>& repeated, std::size_t base) {
  std::vector<Node> nodes_behind;
  std::vector<Measure> measures_behind;
  for (const std::uint32_t entry : repeated) {
    for (std::size_t half = 0; half < 2; ++half) {
      nodes_behind.push_back(pending_[base + 2ULL * entry + half]);
      measures_behind.push_back(measures_[base + 2ULL * entry + half]);
    }
  }
  // In place: a file may have 100,000 jobs, and none of them moves to a later place.
  std::size_t kept = base;
  for (const std::uint32_t entry : entries) {
    for (std::size_t half = 0; half < 2; ++half, ++kept) {
      pending_[kept] = pending_[base + 2ULL * entry + half];
      measures_[kept] = measures_[base + 2ULL * entry + half];
    }
  }
  pending_.resize(kept);
  measures_.resize(kept);
  pending_.insert(pending_.end(), nodes_behind.begin(), nodes_behind.end());
  measures_.insert(measures_.end(), measures_behind.begin(), measures_behind.end());
}

bool TreeBuilder::Finish() {
  document_.root = pending_.empty() ? Node() : pending_.front();
  const std::uint64_t expanded = measures_.empty() ? 0 : measures_.front().nodes;
  if (expanded > written_ && expanded - written_ > kAliasNodesMax) {
    reporter_.Error(
        "alias-bomb", {&document_, {document_.root.offset, document_.root.offset}, nullptr},
        fmt::format("aliases make this file more than {} values larger than it is written",
                    kAliasNodesMax));
    return false;
  }
  return true;
}

}  // namespace dsl
