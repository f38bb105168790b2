// SPDX-License-Identifier: Apache-2.0
#include "dsl/arena.h"

namespace dsl {

Node ItemOf(const Document& document, NodeRef value, Arena& arena) {
  if (value.is_own_of(document)) {
    return value.node();
  }
  Node item;
  item.kind = NodeKind::kGraft;
  item.offset = value.offset();
  item.graft = arena.Keep(Graft{&value.document(), &value.node(), value.alias(), value.trail(),
                                value.is_computed() ? &value.written() : nullptr});
  return item;
}

NodeRef WithTrail(NodeRef value, const Trail* trail, Arena& arena) {
  return NodeRef(*arena.Keep(Graft{&value.document(), &value.node(), value.alias(), trail,
                                   value.is_computed() ? &value.written() : nullptr}));
}

}  // namespace dsl
