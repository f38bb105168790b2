// SPDX-License-Identifier: Apache-2.0
// Which parts of a pipeline an event sets in motion, as far as it can be known before a run exists.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/model/plan.h"
#include "engine/model/run_context.h"

namespace dsl {

/// What happened, or is supposed to.
struct Event {
  std::string
      name;  ///< `push pull_request tag schedule manual webhook run`; empty: any, `on` is not asked
  std::string branch;  ///< empty: not known (a pushed tag has none)
  std::string tag;
  std::optional<std::vector<std::string>>
      changed;  ///< paths; absent: not known, path filters do not count
};

struct Activity {
  bool active = true;
  std::string reason;  ///< why not; or, of an active one, what only the run will decide; else empty
  friend bool operator==(const Activity&, const Activity&) = default;
};

/// Applies the pipeline's `on`.
Activity PipelineActive(const engine::model::Plan& plan, const Event& event);

/// One for each of `plan.jobs`: `on`, then the job's `if` where it reads only what is known now,
/// then `needs` that cannot be met because of that. `inputs` as `ResolveInputs` gives them.
std::vector<Activity> JobActivities(const engine::model::Plan& plan, const Event& event,
                                    const std::vector<engine::model::NamedValue>& inputs);

}  // namespace dsl
