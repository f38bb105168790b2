// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/lease_state.h"

#include <algorithm>

namespace engine::loop {

// The store counts from when it did what we asked, which is after `sent`: what we believe ends
// before what is true.
void LeaseState::OnTried(base::Duration sent, base::Duration now,
                         const base::StatusOr<ports::LeaseTry>& answer) {
  if (!answer.ok()) {
    next_at_ = now + times_.retry_every;
    return;
  }
  if (answer->taken) {
    epoch_ = answer->owner.epoch;
    safe_until_ = sent + times_.length;
    next_at_ = sent + times_.renew_every;
    return;
  }
  // The other's lease ends then at the earliest. Not sooner than a retry: it may just have ended.
  next_at_ = now + std::max(answer->owner.remaining, times_.retry_every);
}

void LeaseState::OnRenewed(base::Duration sent, base::Duration now,
                           const base::StatusOr<bool>& answer) {
  if (!answer.ok()) {
    next_at_ = now + times_.retry_every;
    return;
  }
  if (!*answer) {
    deposed_ = true;
    return;
  }
  safe_until_ = std::max(safe_until_, sent + times_.length);
  next_at_ = sent + times_.renew_every;
}

void LeaseState::OnWoken(base::Duration now) {
  if (epoch_ == model::Epoch()) {
    next_at_ = now;
  }
}

Standing LeaseState::StandingAt(base::Duration now) const {
  if (deposed_) {
    return Standing::kDeposed;
  }
  if (epoch_ == model::Epoch()) {
    return Standing::kStandby;
  }
  return now < safe_until_ ? Standing::kOwner : Standing::kDoubtful;
}

LeaseMove LeaseState::NextMove(base::Duration now) const {
  const Standing standing = StandingAt(now);
  if (standing == Standing::kDeposed) {
    return {};
  }
  if (now >= next_at_) {
    return {standing == Standing::kStandby ? LeaseMove::Kind::kTry : LeaseMove::Kind::kRenew};
  }
  base::Duration wait = next_at_ - now;
  if (standing == Standing::kOwner) {
    wait = std::min(wait, safe_until_ - now);  // to say in time that it has become doubtful
  }
  return {LeaseMove::Kind::kWait, wait};
}

}  // namespace engine::loop
