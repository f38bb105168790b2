// SPDX-License-Identifier: Apache-2.0
// What `dayfly plan` prints. Everything streams through a sink in pieces of some 64 KiB, so that a
// big plan costs no second copy of itself. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dsl/activation.h"
#include "engine/base/status.h"
#include "engine/model/plan.h"

namespace dsl {

using TextSink = std::function<void(std::string_view)>;

enum class PlanFormat : std::uint8_t { kText, kJson, kDot, kMermaid };

struct PlanViewOptions {
  PlanFormat format = PlanFormat::kText;
  /// Needs as they apply to each job: cell by cell, stage barriers too. Otherwise as they were
  /// written.
  bool edges = false;
  std::uint64_t edges_max = 10'000'000;
};

/// `activities` as `JobActivities` gives them; empty: all active.
/// JSON:
/// `{"name","jobs":[{"id","stage","needs":[{"job","on","optional"}],"matrix":{},"active","reason"}]}`
/// and a line end; `stage` is null for a job without one. `ResourceExhausted` before anything is
/// written when `edges` would print more than `edges_max`.
engine::base::Status WritePlan(const engine::model::Plan& plan,
                               const std::vector<Activity>& activities,
                               const PlanViewOptions& options, const TextSink& sink);

/// The table of `dayfly plan --defaults`: each key that has a default, its value, what it means.
std::string DefaultsText();

}  // namespace dsl
