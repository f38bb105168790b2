// SPDX-License-Identifier: Apache-2.0
#include "dsl/document.h"

#include <algorithm>

namespace dsl {

static_assert(sizeof(Node) <= 24, "a big file has a million nodes");

Place NodeRef::place() const {
  const SourceText& source = document_->source;
  if (is_scalar()) {
    return {document_, ScalarSpan(source, offset(), text()), alias_};
  }
  const std::uint32_t end = is_null() ? offset() : source.LineEnd(offset());
  return {document_, {offset(), std::max(end, offset())}, alias_};
}

Place NodeRef::PlaceInside(std::size_t position, std::size_t length) const {
  const SourceText& source = document_->source;
  const std::uint32_t begin = OffsetInScalar(source, offset(), text(), position);
  const std::uint32_t end = OffsetInScalar(source, offset(), text(), position + length);
  return {
      document_, {begin, std::clamp(end, begin, std::max(begin, source.LineEnd(begin)))}, alias_};
}

std::string_view Describe(NodeKind kind) {
  switch (kind) {
    case NodeKind::kNull:
      return "empty";
    case NodeKind::kScalar:
      return "a single value";
    case NodeKind::kSequence:
      return "a list";
    case NodeKind::kMap:
      return "a map";
    case NodeKind::kAlias:
      return "an alias";
  }
  return "";
}

}  // namespace dsl
