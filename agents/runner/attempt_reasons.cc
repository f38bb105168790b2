// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/attempt_reasons.h"

#include <utility>

#include "engine/expr/utf8.h"

namespace agents::runner {

namespace base = engine::base;
namespace expr = engine::expr;
namespace model = engine::model;
using model::ReasonCode;

/// A reason is stored with the run and shown in a line: expressions may make messages of any
/// length.
constexpr std::size_t kSubjectBytesMax = 4 << 10;

bool IsTimeout(const model::Reason& reason) {
  return reason.code == ReasonCode::kJobTimeout || reason.code == ReasonCode::kRunTimeout ||
         reason.code == ReasonCode::kStepTimeout;
}

model::Reason ReasonOf(ReasonCode code, std::string subject, std::int64_t detail) {
  if (subject.size() > kSubjectBytesMax) {
    subject = expr::Excerpt(subject, kSubjectBytesMax);
  }
  return {.code = code, .detail = detail, .until = {}, .subject = std::move(subject)};
}

model::Reason ReasonOf(ReasonCode code, const base::Status& status) {
  return ReasonOf(code, std::string(base::Message(status)));
}

model::Reason BadStep(const base::Status& status) {
  const absl::StatusCode status_code = status.code();
  const ReasonCode code =
      status_code == absl::StatusCode::kPermissionDenied ? ReasonCode::kSecretExposed
      : status_code == absl::StatusCode::kUnavailable    ? ReasonCode::kSetupFailed
                                                         : ReasonCode::kBadExpression;
  return ReasonOf(code, status);
}

base::Status AsStatus(const expr::Error& error) {
  return base::InvalidArgument(
      "{}", error.hint.empty() ? error.message : error.message + "; " + error.hint);
}

}  // namespace agents::runner
