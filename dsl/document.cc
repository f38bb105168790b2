// SPDX-License-Identifier: Apache-2.0
#include "dsl/document.h"

#include <algorithm>

namespace dsl {

static_assert(sizeof(Node) <= 24, "a big file has a million nodes");

Place NodeRef::place() const {
  const SourceText& source = document_->source;
  const Node& at = written();
  if (is_scalar()) {
    const std::string_view value = std::string_view(at.text, at.size);
    return {document_, ScalarSpan(source, at.offset, value), alias_, trail()};
  }
  const std::uint32_t end = is_null() ? at.offset : source.LineEnd(at.offset);
  return {document_, {at.offset, std::max(end, at.offset)}, alias_, trail()};
}

Place NodeRef::PlaceInside(std::size_t position, std::size_t length) const {
  if (is_computed()) {
    return place();  // no byte of the value stands in the file
  }
  const SourceText& source = document_->source;
  const std::uint32_t begin = OffsetInScalar(source, offset(), text(), position);
  const std::uint32_t end = OffsetInScalar(source, offset(), text(), position + length);
  const std::uint32_t line_end = std::max(begin, source.LineEnd(begin));
  return {document_, {begin, std::clamp(end, begin, line_end)}, alias_, trail()};
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
    case NodeKind::kGraft:
      return "a reference";
  }
  return "";
}

}  // namespace dsl
