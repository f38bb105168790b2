// SPDX-License-Identifier: Apache-2.0
#include "engine/expr/status_functions.h"

#include <string>

#include "engine/expr/text_case.h"

namespace engine::expr {
namespace {

struct StatusFunction {
  std::string_view name;
  bool (*decide)(const StatusView&);
};
constexpr StatusFunction kStatusFunctions[] = {
    {"success", Success}, {"failure", Failure}, {"always", Always}, {"cancelled", Cancelled}};

}  // namespace

StatusView ViewOfNeeds(std::span<const NeedOutcome> needs, bool run_cancelled) {
  StatusView view{.all_well = true, .any_failed = false, .cancelled = run_cancelled};
  for (const NeedOutcome& need : needs) {
    view.all_well = view.all_well && need.satisfied;
    view.any_failed = view.any_failed || need.failed;
  }
  return view;
}

StatusView ViewOfSteps(bool failed, bool run_cancelled) {
  return {.all_well = !failed, .any_failed = failed, .cancelled = run_cancelled};
}

bool Success(const StatusView& view) {
  return view.all_well && !view.cancelled;
}
bool Failure(const StatusView& view) {
  return view.any_failed && !view.cancelled;
}
bool Cancelled(const StatusView& view) {
  return view.cancelled;
}

std::optional<bool> CallStatusFunction(std::string_view name, const StatusView& view) {
  for (const StatusFunction& function : kStatusFunctions) {
    if (EqualIgnoringCase(function.name, name)) {
      return function.decide(view);
    }
  }
  return std::nullopt;
}

void AddStatusFunctions(MapScope& scope, const StatusView& view) {
  for (const StatusFunction& function : kStatusFunctions) {
    scope.SetFunction(std::string(function.name),
                      [decide = function.decide, view](std::span<const Value>) -> Result<Value> {
                        return Value::Boolean(decide(view));
                      });
  }
}

}  // namespace engine::expr
