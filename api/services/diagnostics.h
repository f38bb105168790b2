// SPDX-License-Identifier: Apache-2.0
// The compiler's diagnostics as they travel. Pure.
#pragma once

#include <vector>

#include <google/protobuf/repeated_ptr_field.h>

#include "api/wire/runs.pb.h"
#include "dsl/diagnostic.h"

namespace api::services {

using WireDiagnostics = google::protobuf::RepeatedPtrField<dayfly::v1::Diagnostic>;

void ToWire(const std::vector<dsl::Diagnostic>& diagnostics, WireDiagnostics* out);

}  // namespace api::services
