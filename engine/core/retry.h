// SPDX-License-Identifier: Apache-2.0
// Whether a failed attempt is followed by another, at whose expense, and when. Pure: jitter comes
// from a hash of the run's seed and the attempt.
#pragma once

#include <cstdint>

#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/model/plan.h"
#include "engine/model/status.h"

namespace engine::core {

struct FailedAttempt {
  model::AttemptKey key;
  model::Status status = model::Status::kFailed;
  bool infra = false;
  model::Reason reason;
  std::uint32_t author_retries = 0;  ///< spent before this one
  std::uint32_t infra_retries = 0;   ///< spent before this one
};

enum class RetryVerdict : std::uint8_t {
  kGiveUp,
  kInfraSpent,  ///< infrastructure failed more often than the engine tries
  kAuthor,
  kInfra,
};

struct RetryDecision {
  RetryVerdict verdict = RetryVerdict::kGiveUp;
  base::Duration delay{0};
};

RetryDecision DecideRetry(const model::RetrySpec& retry, const FailedAttempt& attempt,
                          std::uint64_t seed);

/// `retry.on` covers this failure of the author's.
bool Covers(const model::RetrySpec& retry, model::Status status, const model::Reason& reason);

/// The delay before retry number `number` (from 1), jitter included.
base::Duration BackoffDelay(const model::RetrySpec& retry, std::uint32_t number,
                            const model::AttemptKey& key, std::uint64_t seed);

/// The exit code as a shell shows it (a signal counts as 128 + its number), or -1.
std::int32_t ExitCodeOf(const model::Reason& reason);

/// `allow_failure` covers this end.
bool Tolerates(const model::AllowFailure& allow, const model::Reason& reason);

}  // namespace engine::core
