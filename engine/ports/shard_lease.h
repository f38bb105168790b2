// SPDX-License-Identifier: Apache-2.0
// Who owns a shard: one server at a time, by a lease that runs out unless it is renewed. Only the
// store's own clock says when. The epoch, which grows with each owner, is what keeps a deposed
// owner from writing; the lease decides when another may step in.
// Blocks. Threads: one at a time, but for `Wake`.
#pragma once

#include <string>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"

namespace engine::ports {

/// How an owner is known to others. UTF-8 without NUL.
struct OwnerName {
  std::string name;     ///< for people, not empty
  std::string address;  ///< where clients and agents find it
  friend bool operator==(const OwnerName&, const OwnerName&) = default;
};

struct ShardOwner {
  model::Epoch epoch;  ///< 0: the shard never had an owner
  OwnerName owner;     ///< empty: given up, or never owned
  /// Until the lease ends unless it is renewed; zero or less: anybody may take the shard.
  base::Duration remaining{0};
};

struct LeaseTry {
  bool taken = false;
  ShardOwner owner;  ///< after the try: us, or whose lease runs
};

class ShardLease {
 public:
  virtual ~ShardLease() = default;

  /// Takes the shard when nobody's lease runs: raises the epoch durably, and the lease runs for
  /// `length`. After an error it may have been taken all the same; then the lease runs out by
  /// itself.
  virtual base::StatusOr<LeaseTry> Try(const OwnerName& me, base::Duration length) = 0;

  /// Lets the lease of `epoch` run for `length` from now, also when it has run out and nobody took
  /// the shard. False: another epoch owns it.
  virtual base::StatusOr<bool> Renew(model::Epoch epoch, base::Duration length) = 0;

  /// Ends the lease of `epoch` at once and wakes those who wait; nothing when it is over already.
  virtual base::Status GiveUp(model::Epoch epoch) = 0;

  virtual base::StatusOr<ShardOwner> Owner() = 0;

  /// Returns after `at_most`, or earlier when a lease was given up or `Wake` was called.
  virtual void Wait(base::Duration at_most) = 0;
  /// Any thread, at any time: ends the `Wait` under way, or else the next one.
  virtual void Wake() = 0;
};

}  // namespace engine::ports
