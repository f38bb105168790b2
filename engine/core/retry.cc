// SPDX-License-Identifier: Apache-2.0
#include "engine/core/retry.h"

#include <algorithm>
#include <cmath>

#include "engine/base/random.h"

namespace engine::core {
namespace {

using model::ReasonCode;
using model::RetryOn;
using model::RetrySpec;
using model::Status;

/// Every deadline lies later than now.
constexpr base::Duration kAtOnce = std::chrono::milliseconds(1);

bool Lists(const std::vector<std::int32_t>& codes, std::int32_t code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

bool Has(const RetrySpec& retry, RetryOn cause) {
  return (retry.on & static_cast<std::uint8_t>(cause)) != 0;
}

bool IsTimeout(Status status, ReasonCode code) {
  return status == Status::kTimedOut || code == ReasonCode::kJobTimeout ||
         code == ReasonCode::kStepTimeout;
}

// Uniform in [-1, 1), the same for the same attempt for ever.
double JitterOf(const model::AttemptKey& key, std::uint64_t seed) {
  std::uint64_t hash = base::Mix64(seed ^ key.run.value());
  hash = base::Mix64(hash ^ key.job.value());
  hash = base::Mix64(hash ^ key.attempt);
  return static_cast<double>(hash >> 11) * 0x1.0p-52 - 1.0;
}

}  // namespace

std::int32_t ExitCodeOf(const model::Reason& reason) {
  if (reason.code == ReasonCode::kExitCode) {
    return static_cast<std::int32_t>(reason.detail);
  }
  if (reason.code == ReasonCode::kSignal) {
    return static_cast<std::int32_t>(128 + reason.detail);
  }
  return -1;
}

bool Covers(const RetrySpec& retry, Status status, const model::Reason& reason) {
  // The same expression gives the same error again; and so does what the author asks for and cannot
  // be had, such as artifacts that clash: the infrastructure's failures of that kind come not here.
  if (reason.code == ReasonCode::kBadExpression || reason.code == ReasonCode::kSetupFailed) {
    return false;
  }
  if (retry.on == 0) {
    return true;
  }
  if (IsTimeout(status, reason.code)) {
    return Has(retry, RetryOn::kTimeout);
  }
  if (reason.code == ReasonCode::kOutOfMemory) {
    return Has(retry, RetryOn::kOom);
  }
  const std::int32_t code = ExitCodeOf(reason);
  return code >= 0 && (Has(retry, RetryOn::kAnyExit) ||
                       (Has(retry, RetryOn::kListedExits) && Lists(retry.exit_codes, code)));
}

base::Duration BackoffDelay(const RetrySpec& retry, std::uint32_t number,
                            const model::AttemptKey& key, std::uint64_t seed) {
  const double longest = static_cast<double>(std::max<std::int64_t>(retry.longest.count(), 0));
  const double initial = static_cast<double>(std::max<std::int64_t>(retry.initial.count(), 0));
  const double exponent = std::min<double>(number > 0 ? number - 1 : 0, 64);
  const double grown = initial * std::pow(std::max(retry.factor, 1.0), exponent);
  const double jitter = std::clamp(retry.jitter, 0.0, 1.0);
  const double delay = std::min(grown, longest) * (1.0 + jitter * JitterOf(key, seed));
  return base::Duration(std::isfinite(delay) ? static_cast<std::int64_t>(delay) : 0);
}

namespace {

// One lost worker says nothing of the job, and another may be free: the first time it is given on
// at once. From then on pauses grow, for a job may be what kills its workers.
base::Duration InfraDelay(const FailedAttempt& attempt, std::uint64_t seed) {
  if (attempt.infra_retries == 0 && attempt.reason.code == ReasonCode::kWorkerLost) {
    return kAtOnce;
  }
  return BackoffDelay(model::DefaultSettings().infra_backoff, attempt.infra_retries + 1,
                      attempt.key, seed);
}

}  // namespace

RetryDecision DecideRetry(const RetrySpec& retry, const FailedAttempt& attempt,
                          std::uint64_t seed) {
  const model::Defaults& defaults = model::DefaultSettings();
  if (attempt.infra) {
    if (attempt.infra_retries >= defaults.infra_retries) {
      return {.verdict = RetryVerdict::kInfraSpent};
    }
    return {.verdict = RetryVerdict::kInfra, .delay = InfraDelay(attempt, seed)};
  }
  if (attempt.author_retries >= retry.max || !Covers(retry, attempt.status, attempt.reason)) {
    return {.verdict = RetryVerdict::kGiveUp};
  }
  return {.verdict = RetryVerdict::kAuthor,
          .delay = BackoffDelay(retry, attempt.author_retries + 1, attempt.key, seed)};
}

bool Tolerates(const model::AllowFailure& allow, const model::Reason& reason) {
  const std::int32_t code = ExitCodeOf(reason);
  return allow.any || (code >= 0 && Lists(allow.exit_codes, code));
}

}  // namespace engine::core
