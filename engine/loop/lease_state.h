// SPDX-License-Identifier: Apache-2.0
// What a server may believe of its lease, worked out from answers and the times at which the
// questions left. It reads no clock: time comes in, as that of any clock that only goes forward.
//
//            taken                 no answer for `length`
//   standby ──────▶ owner ────────────────────────────▶ doubtful
//                     ▲  └──────────┐                    │  │
//                     │   renewed   │ another epoch      │  │ another epoch
//                     └─────────────│────────────────────┘  │
//                                   └──────▶ deposed ◀──────┘
#pragma once

#include <cstdint>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"
#include "engine/ports/shard_lease.h"

namespace engine::loop {

enum class Standing : std::uint8_t {
  kStandby,   ///< somebody else owns the shard, or nobody yet
  kOwner,     ///< nobody else can own it
  kDoubtful,  ///< our lease has run out unless an answer comes: act for nobody
  kDeposed,   ///< another took it; final
};

struct LeaseTimes {
  base::Duration length = std::chrono::seconds(3);
  base::Duration renew_every = std::chrono::seconds(1);
  base::Duration retry_every = std::chrono::milliseconds(200);  ///< after an error
};

/// What to do next.
struct LeaseMove {
  enum class Kind : std::uint8_t { kTry, kRenew, kWait, kNothing };
  Kind kind = Kind::kNothing;
  base::Duration wait{0};  ///< at most, for `kWait`
};

class LeaseState {
 public:
  explicit LeaseState(const LeaseTimes& times) : times_(times) {}

  /// The answer to `ShardLease::Try`, asked at `sent`, come at `now`.
  void OnTried(base::Duration sent, base::Duration now,
               const base::StatusOr<ports::LeaseTry>& answer);
  /// The answer to `ShardLease::Renew`.
  void OnRenewed(base::Duration sent, base::Duration now, const base::StatusOr<bool>& answer);
  /// A lease was given up, perhaps: a standby tries at once.
  void OnWoken(base::Duration now);

  Standing StandingAt(base::Duration now) const;
  LeaseMove NextMove(base::Duration now) const;
  /// Of our own lease; 0 while we never had one.
  model::Epoch epoch() const { return epoch_; }
  /// Until when `StandingAt` says `kOwner`, if no renewal succeeds; only for an owner.
  base::Duration safe_until() const { return safe_until_; }

 private:
  LeaseTimes times_;
  model::Epoch epoch_;
  bool deposed_ = false;
  base::Duration safe_until_{0};
  base::Duration next_at_{0};  ///< of the next question
};

}  // namespace engine::loop
