// SPDX-License-Identifier: Apache-2.0
// What an attempt knows of an earlier result that may stand for its own, and what it leaves for
// later ones.
#include <utility>

#include "agents/runner/attempt.h"
#include "agents/runner/reuse_basis.h"

namespace agents::runner {

std::optional<ReuseRequest> Attempt::PlanReuse() const {
  const std::vector<std::string>& inputs = spec_->rare->reuse_inputs;
  if (steps_over_ || inputs.empty()) {
    return std::nullopt;
  }
  return ReuseRequest{.basis = ReuseBasis(*spec_, assignment_, scope_), .inputs = inputs};
}

void Attempt::ReuseLookedUp(ReuseAnswer answer) {
  reuse_ = std::move(answer);
  Note(reuse_.note);
}

std::optional<ReuseSave> Attempt::PlanReuseSave() const {
  const bool ended_well =
      !failure_.has_value() && !stop_.has_value() && !finally_failure_.has_value();
  // An agent that was killed on the way has the totals of the tests, but not the results.
  const bool has_tests = !remarks_.tests.has_value() || !test_document_.empty();
  if (reuse_.key.empty() || reuse_.result.has_value() || !ended_well || !has_tests) {
    return std::nullopt;
  }
  return ReuseSave{.key = reuse_.key,
                   .result = {.run = ToText(assignment_.lease.key.run),
                              .outputs = AllOutputs(),
                              .artifacts = artifacts_,
                              .tests = remarks_.tests},
                   .test_document = test_document_};
}

}  // namespace agents::runner
