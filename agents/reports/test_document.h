// SPDX-License-Identifier: Apache-2.0
// Test results as they are kept in the artifact store and sent to people: one JSON document of at
// most a chunk. Pure.
//
//   {"version":1,"tests":3,"failed":1,"skipped":0,"took_us":1500,"omitted":0,"problems":["…"],
//    "cases":[{"suite","name","outcome":"passed|failed|error|skipped","took_us",
//              "message","details","file","line"}]}      (empty members of a case are left out)
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/model/test_results.h"

namespace agents::reports {

/// Cases that find no room are left out and counted in `omitted`: first those that passed (the
/// slowest stay longest), then details, then the rest.
std::string EncodeTestDocument(engine::model::TestResults results);
/// `DataLoss`: it is no such document.
engine::base::StatusOr<engine::model::TestResults> DecodeTestDocument(std::string_view bytes);

std::string_view ToText(engine::model::TestOutcome outcome);

}  // namespace agents::reports
