// SPDX-License-Identifier: Apache-2.0
#include "engine/core/job_result.h"

namespace engine::core {

using model::ReasonCode;
using model::Status;

bool IsPlainSuccess(const model::JobResult& result) {
  return result.status == Status::kSucceeded && result.reason.code == ReasonCode::kNone &&
         result.outputs.empty() && result.spilled.empty() && result.artifacts.empty() &&
         result.remarks.empty();
}

const std::shared_ptr<const model::JobResult>& PlainSuccess() {
  static const auto kResult = [] {
    auto result = std::make_shared<model::JobResult>();
    result->status = Status::kSucceeded;
    return std::shared_ptr<const model::JobResult>(std::move(result));
  }();
  return kResult;
}

bool EndsWell(const model::JobResult& result) {
  if (result.status == Status::kSkipped) {
    const ReasonCode code = result.reason.code;
    return code == ReasonCode::kConditionFalse || code == ReasonCode::kFilteredOut ||
           code == ReasonCode::kNotSelected || code == ReasonCode::kListEmpty;
  }
  return result.status == Status::kSucceeded || result.status == Status::kWarned;
}

bool CarriesFailure(const model::JobResult& result) {
  const model::Reason& reason = result.reason;
  return Failed(result.status) || reason.code == ReasonCode::kFailFast ||
         (reason.code == ReasonCode::kNeedNotMet && reason.detail != 0);
}

}  // namespace engine::core
