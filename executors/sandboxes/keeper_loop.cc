// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/keeper_loop.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <utility>

#include "engine/base/check.h"
#include "executors/sandboxes/monotonic_micros.h"

namespace executors::sandboxes {

using engine::base::StatusOr;

KeeperLoop::KeeperLoop(FileDescriptor owner) : owner_(std::move(owner)) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGCHLD);
  sigaddset(&wanted, SIGTERM);
  signals_ = FileDescriptor(signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
  null_ = FileDescriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(signals_.valid() && null_.valid());
}

int KeeperLoop::Run() {
  while (!finished_) {
    Wait();
    ServeWaiting();
    FlushAnswers();
  }
  return 0;
}

/// Sleeps until something happened, and takes it in.
void KeeperLoop::Wait() {
  const bool owned = life_ == Life::kOwned;
  const short owner_events = owned && !answers_.empty() ? POLLIN | POLLOUT : POLLIN;
  const int waits_for = owned ? owner_.get() : life_ == Life::kAlone ? door_.fd() : -1;
  std::vector<pollfd> polled;
  polled.reserve(4);
  polled.push_back({.fd = waits_for, .events = owner_events});
  polled.push_back({.fd = signals_.get(), .events = POLLIN});
  if (output_) {
    output_->AddTo(polled);
  }
  const std::size_t lanes_begin = polled.size();
  lanes_.AddTo(polled);
  const auto wait = WaitMicros();
  const timespec timeout{.tv_sec = wait / 1'000'000, .tv_nsec = (wait % 1'000'000) * 1000};
  if (ppoll(polled.data(), polled.size(), wait == kNever ? nullptr : &timeout, nullptr) < 0) {
    CHECK(errno == EINTR || errno == ENOMEM);
    return;
  }
  // The pipe before the exit: what was printed first is written first. (`CommandEnded` drains it
  // anyway.)
  if (output_) {
    output_->Take(std::span(polled).subspan(2, lanes_begin - 2));
  }
  TellLanes(lanes_.Take(std::span(polled).subspan(lanes_begin)));
  if (polled[1].revents != 0) {
    OnSignals();
  }
  if (polled[0].revents != 0 && owned) {
    OnOwnerReadable();
  } else if (polled[0].revents != 0 && life_ == Life::kAlone) {
    TakeNextOwner();
  }
  CheckOffline();
  if (killing_) {
    ContinueKill();
  }
  if (output_) {
    output_->Settle();
  }
}

/// How long to sleep at most when nothing happens.
std::int64_t KeeperLoop::WaitMicros() const {
  const auto wake_at =
      std::min({killing_ ? killing_->scan_at : kNever, output_ ? output_->settle_at() : kNever,
                life_ == Life::kAlone ? offline_ends_at_ : kNever});
  return wake_at == kNever ? kNever : std::max<std::int64_t>(0, wake_at - MonotonicMicros());
}

void KeeperLoop::OnOwnerReadable() {
  const auto room = received_.Room(64 << 10);
  const auto bytes = recv(owner_.get(), room.data(), room.size(), MSG_DONTWAIT);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (bytes <= 0) {
    OwnerIsGone();
    return;
  }
  received_.Received(static_cast<std::size_t>(bytes));
  for (;;) {
    const auto frame = received_.Next();
    if (frame.ok() && frame->empty()) {
      return;
    }
    auto order = frame.ok() ? DecodeOrder(*frame) : StatusOr<Order>(frame.status());
    if (!order.ok()) {
      // Whoever talks like this is not our owner.
      OwnerIsGone();
      return;
    }
    Take(*std::move(order));
  }
}

void KeeperLoop::OwnerIsGone() {
  if (life_ != Life::kOwned) {
    return;
  }
  owner_.Close();
  answers_.clear();
  received_ = {};
  if (kept_.empty()) {
    Leave();
    return;
  }
  life_ = Life::kAlone;
  offline_ends_at_ = MonotonicMicros() + offline_;
}

void KeeperLoop::Leave() {
  if (life_ == Life::kLeaving) {
    return;
  }
  life_ = Life::kLeaving;
  owner_.Close();
  door_.Close();
  answers_.clear();
  waiting_.clear();
  BeginKill(std::nullopt);
}

void KeeperLoop::TakeNextOwner() {
  owner_ = door_.Accept();
  if (owner_.valid()) {
    life_ = Life::kOwned;
  }
}

void KeeperLoop::CheckOffline() {
  if (life_ == Life::kAlone && MonotonicMicros() >= offline_ends_at_) {
    Leave();
  }
}

void KeeperLoop::Send(const Answer& answer) {
  if (life_ == Life::kOwned) {
    CHECK(EncodeFrame(answer, answers_));
  }
}

void KeeperLoop::FlushAnswers() {
  while (!answers_.empty()) {
    const auto sent =
        send(owner_.get(), answers_.data(), answers_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN && errno != EINTR) {
        OwnerIsGone();
      }
      return;
    }
    answers_.erase(0, static_cast<std::size_t>(sent));
  }
}

}  // namespace executors::sandboxes
