// SPDX-License-Identifier: Apache-2.0
// A log as a text file: a line `plan DIGEST HEX` for each plan and `row RUN HEX` for each row, with
// the very bytes that a release stored. Lines that begin with `#` say where it comes from.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/ids.h"
#include "engine/model/plan.h"

namespace tests::replay {

struct GoldenLog {
  std::vector<std::string> comments;
  std::vector<std::pair<engine::model::PlanDigest, std::string>> plans;
  std::vector<std::pair<engine::model::RunId, std::string>> rows;
};

std::string ToText(const GoldenLog& log);
engine::base::StatusOr<GoldenLog> GoldenLogFromText(const std::string& text);

}  // namespace tests::replay
