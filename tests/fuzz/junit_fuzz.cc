// SPDX-License-Identifier: Apache-2.0
// Test reports that steps wrote: any bytes give cases or a problem, within the bounds; what was
// read survives being encoded, kept and read again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "agents/reports/junit.h"
#include "agents/reports/test_document.h"
#include "engine/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > (64 << 10)) {
    return 0;
  }
  engine::model::TestResults results;
  agents::reports::AddJUnit("/ws/out/report.xml", std::string(data, data + size), "/ws", results);
  CHECK(results.cases.size() <= agents::reports::kCasesMax);
  CHECK(results.problems.size() <= agents::reports::kProblemsMax);
  const std::string document = agents::reports::EncodeTestDocument(results);
  const auto again = agents::reports::DecodeTestDocument(document);
  CHECK(again.ok());
  CHECK(again->cases.size() == results.cases.size());
  CHECK(agents::reports::EncodeTestDocument(*again) == document);
  return 0;
}
