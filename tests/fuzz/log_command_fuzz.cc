// SPDX-License-Identifier: Apache-2.0
// Log commands in what steps print: any bytes give the same annotations however they are cut into
// pieces, within the bounds; what was found survives being tidied, kept and read again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agents/reports/annotation_document.h"
#include "engine/base/check.h"
#include "executors/sandboxes/annotation_collector.h"

namespace {

using executors::sandboxes::AnnotationCollector;

engine::model::Annotations Collect(std::string_view bytes, std::size_t piece) {
  AnnotationCollector collector;
  while (!bytes.empty()) {
    collector.Feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return collector.Finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > (64 << 10)) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  engine::model::Annotations found = Collect(bytes, bytes.size() + 1);
  CHECK(found == Collect(bytes, data[0] % 16 + 1));
  CHECK(found.list.size() <= 3 * AnnotationCollector::kOfSeverityMax);
  CHECK(found.list.size() <= found.counts.total());
  for (engine::model::Annotation& annotation : found.list) {
    agents::reports::TidyAnnotation("/ws", annotation);
  }
  const auto again = agents::reports::DecodeAnnotations(agents::reports::EncodeAnnotations(found));
  CHECK(again.ok() && *again == found);
  return 0;
}
