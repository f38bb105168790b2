// SPDX-License-Identifier: Apache-2.0
// What the end of a job means to those that need it. Pure.
#pragma once

#include <memory>

#include "engine/model/run_context.h"
#include "engine/model/status.h"

namespace engine::core {

constexpr bool Failed(model::Status status) {
  return status == model::Status::kFailed || status == model::Status::kTimedOut;
}

/// It succeeded and left nothing behind.
bool IsPlainSuccess(const model::JobResult& result);
/// That result, once for all jobs.
const std::shared_ptr<const model::JobResult>& PlainSuccess();

/// Its end satisfies `on: success`.
bool EndsWell(const model::JobResult& result);
/// It failed or timed out, or ended as it did because something before it did.
bool CarriesFailure(const model::JobResult& result);

}  // namespace engine::core
