// SPDX-License-Identifier: Apache-2.0
#include "api/services/diagnostics.h"

namespace api::services {

namespace pb = dayfly::v1;

void ToWire(const std::vector<dsl::Diagnostic>& diagnostics, WireDiagnostics* out) {
  for (const dsl::Diagnostic& each : diagnostics) {
    pb::Diagnostic* diagnostic = out->Add();
    diagnostic->set_code(each.code);
    diagnostic->set_warning(each.severity == dsl::Severity::kWarning);
    diagnostic->set_message(each.message);
    pb::Span* span = diagnostic->mutable_span();
    span->set_file(each.file);
    span->set_line(each.line);
    span->set_column(each.column);
    span->set_end_line(each.end_line);
    span->set_end_column(each.end_column);
    diagnostic->set_hint(each.hint);
    diagnostic->set_source_line(each.source_line);
    diagnostic->set_source_line_column(each.source_line_column);
    for (const dsl::RelatedPlace& place : each.related) {
      pb::RelatedPlace* related = diagnostic->add_related();
      related->set_message(place.message);
      related->mutable_span()->set_file(place.file);
      related->mutable_span()->set_line(place.line);
      related->mutable_span()->set_column(place.column);
    }
  }
}

}  // namespace api::services
