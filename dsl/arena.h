// SPDX-License-Identifier: Apache-2.0
// Where nodes live that no file holds: merged maps, values with a template's inputs put in, and the
// trails that tell how a value came to stand where it is read.
#pragma once

#include <cstring>
#include <memory>
#include <memory_resource>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>

#include "dsl/document.h"

namespace dsl {

class Arena {
 public:
  template <typename T>
  const T* Keep(const T& value) {
    static_assert(std::is_trivially_destructible_v<T>, "nothing is ever destroyed here");
    return ::new (memory_.allocate(sizeof(T), alignof(T))) T(value);
  }
  const Node* KeepAll(std::span<const Node> nodes) {
    auto* kept = static_cast<Node*>(memory_.allocate(nodes.size_bytes() + 1, alignof(Node)));
    std::uninitialized_copy(nodes.begin(), nodes.end(), kept);
    return kept;
  }
  std::string_view KeepText(std::string_view text) {
    auto* kept = static_cast<char*>(memory_.allocate(text.size() + 1, 1));
    std::memcpy(kept, text.data(), text.size());
    return {kept, text.size()};
  }

 private:
  std::pmr::monotonic_buffer_resource memory_;
};

/// `value` as an item of a collection that belongs to `document`: the node itself where it stands
/// in that document, otherwise a graft.
Node ItemOf(const Document& document, NodeRef value, Arena& arena);
/// `value`, reached by `trail`.
NodeRef WithTrail(NodeRef value, const Trail* trail, Arena& arena);

}  // namespace dsl
