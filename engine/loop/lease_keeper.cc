// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/lease_keeper.h"

#include <chrono>
#include <utility>

#include "engine/loop/quiet_thread.h"

namespace engine::loop {
namespace {

// Only ever compared with itself, on this machine.
base::Duration Monotonic() {
  return std::chrono::duration_cast<base::Duration>(
      std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

LeaseKeeper::LeaseKeeper(ports::ShardLease& lease, LeaseKeeperOptions options)
    : lease_(lease), options_(std::move(options)), state_(options_.times) {
  thread_ = StartQuietThread("dayfly-lease", [this] { Run(); });
}

LeaseKeeper::~LeaseKeeper() {
  StopThread();
}

void LeaseKeeper::StopThread() {
  stop_ = true;
  lease_.Wake();
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool LeaseKeeper::StillOwner() const {
  return Monotonic().count() < safe_until_.load();
}

ports::ShardOwner LeaseKeeper::SeenOwner() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void LeaseKeeper::See(const ports::ShardOwner& owner) {
  const std::lock_guard lock(mutex_);
  seen_ = owner;
}

base::Status LeaseKeeper::GiveUp() {
  StopThread();
  safe_until_ = 0;
  if (state_.epoch() == model::Epoch()) {
    return base::OkStatus();
  }
  return lease_.GiveUp(state_.epoch());
}

void LeaseKeeper::Run() {
  while (!stop_) {
    Tell();
    const base::Duration now = Monotonic();
    const LeaseMove move = state_.NextMove(now);
    switch (move.kind) {
      case LeaseMove::Kind::kNothing:
        return;
      case LeaseMove::Kind::kWait:
        lease_.Wait(move.wait);
        if (const base::Duration then = Monotonic(); then < now + move.wait) {
          state_.OnWoken(then);
        }
        break;
      case LeaseMove::Kind::kTry:
      case LeaseMove::Kind::kRenew:
        Ask(move.kind);
        break;
    }
  }
}

void LeaseKeeper::Ask(LeaseMove::Kind kind) {
  const base::Duration sent = Monotonic();
  if (kind == LeaseMove::Kind::kTry) {
    const base::StatusOr<ports::LeaseTry> answer = lease_.Try(options_.me, options_.times.length);
    state_.OnTried(sent, Monotonic(), answer);
    if (answer.ok()) {
      See(answer->owner);
    }
    return;
  }
  const base::StatusOr<bool> answer = lease_.Renew(state_.epoch(), options_.times.length);
  state_.OnRenewed(sent, Monotonic(), answer);
  if (answer.ok() && !*answer) {
    if (const auto owner = lease_.Owner(); owner.ok()) {
      See(*owner);
    }
  }
}

void LeaseKeeper::Tell() {
  const Standing standing = state_.StandingAt(Monotonic());
  const bool ours = standing == Standing::kOwner || standing == Standing::kDoubtful;
  safe_until_ = ours ? state_.safe_until().count() : 0;
  if (standing == told_ && told_once_) {
    return;
  }
  told_ = standing;
  told_once_ = true;
  if (options_.told) {
    options_.told(standing, state_.epoch());
  }
}

}  // namespace engine::loop
