// SPDX-License-Identifier: Apache-2.0
// What the keeper is told: in which order that is served, and what it means.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "executors/sandboxes/keeper_loop.h"
#include "executors/sandboxes/keeper_marks.h"
#include "executors/sandboxes/monotonic_micros.h"
#include "executors/sandboxes/process_tree.h"

namespace executors::sandboxes {

using engine::base::Cancelled;
using engine::base::FromErrno;
using engine::base::InvalidArgument;
using engine::base::OkStatus;
using engine::base::StatusOr;

/// What acts at once is served; the rest waits its turn.
void KeeperLoop::Take(Order order) {
  if (const auto* kill = std::get_if<KillAll>(&order)) {
    TakeKillAll(*kill);
  } else if (const auto* signal = std::get_if<Signal>(&order); signal != nullptr && running_) {
    Serve(*signal);
  } else {
    const auto* start = std::get_if<Start>(&order);
    starts_ += start != nullptr && start->command.log_tag.step != engine::ports::kNoStep ? 1 : 0;
    waiting_.push_back(std::move(order));
  }
  ServeWaiting();
}

/// Starts in front of it are void; everything else keeps its place.
void KeeperLoop::TakeKillAll(const KillAll& order) {
  for (auto& before : waiting_) {
    if (const auto* start = std::get_if<Start>(&before)) {
      Send(Exited{.serial = start->serial,
                  .exit = {.started = Cancelled("the attempt was ended before it started")}});
    }
  }
  std::erase_if(waiting_, [](const Order& o) {
    return std::holds_alternative<Start>(o) || std::holds_alternative<Signal>(o);
  });
  if (running_ && !killing_) {
    BeginKill(std::nullopt);
  }
  waiting_.emplace_back(order);
}

void KeeperLoop::ServeWaiting() {
  while (!waiting_.empty() && !killing_ && !finished_) {
    const auto& next = waiting_.front();
    // A signal sent behind a start is for that command; a record behind it is about it.
    const auto* start = std::get_if<Start>(&next);
    const bool awaits_lane = start != nullptr && start->command.lane == engine::ports::kOwnLane;
    if (running_ && (awaits_lane || std::holds_alternative<Prepare>(next) ||
                     std::holds_alternative<KillAll>(next))) {
      return;
    }
    // A workspace is never pulled away under a process.
    if (std::holds_alternative<Prepare>(next) && !ReapAll()) {
      BeginKill(std::nullopt);
      continue;
    }
    Order order = std::move(waiting_.front());
    waiting_.pop_front();
    std::visit([this](auto& o) { Serve(o); }, order);
  }
}

void KeeperLoop::Serve(SetUp& order) {
  Ready ready;
  if (setup_) {
    ready.status = InvalidArgument("the keeper is set up already");
  } else if (order.version != kProtocolVersion) {
    ready.status = InvalidArgument("the owner speaks version {} of the keeper's protocol, not {}",
                                   order.version, kProtocolVersion);
  } else {
    ready.status = MakeReady(order);
  }
  ready.facts = facts_;
  Send(ready);
}

engine::base::Status KeeperLoop::MakeReady(SetUp& order) {
  if (order.owner_gone == OwnerGone::kGoOn) {
    ASSIGN_OR_RETURN(door_, KeeperDoor::Open(order.run_folder, order.slot));
  }
  setup_ = std::move(order);
  mark_ = KeeperMark(setup_->run_folder, setup_->slot);
  const bool serves_lane = setup_->lane != engine::ports::kOwnLane;
  if (!serves_lane) {
    workspace_ =
        std::make_unique<Workspace>(setup_->run_folder, setup_->slot, setup_->allow_mounts);
  }
  output_.emplace(LogSpool(setup_->run_folder + "/logs", serves_lane ? setup_->lane : setup_->slot,
                           {setup_->segment_bytes_max, setup_->spool_bytes_max}));
  MakeCgroup();
  return OkStatus();
}

void KeeperLoop::Serve(Prepare& order) {
  const auto status = workspace_ != nullptr
                          ? workspace_->Prepare(order.mount, facts_)
                          : engine::base::FailedPrecondition("the keeper is not set up");
  Send(Prepared{.serial = order.serial, .status = status, .facts = facts_});
}

void KeeperLoop::Serve(Start& order) {
  if (order.command.lane != engine::ports::kOwnLane) {
    StartInLane(order);
    return;
  }
  last_exit_.reset();
  auto running = StartCommand(order);
  if (!running.ok()) {
    TellExit(order.serial, {.started = running.status()});
    return;
  }
  running_ = *std::move(running);
  children_left_ = true;
}

void KeeperLoop::StartInLane(Start& order) {
  auto status = setup_ ? lanes_.Start(order,
                                      {.setup = &*setup_,
                                       .mark = mark_.c_str(),
                                       .null_fd = null_.get(),
                                       .cgroup_fd = cgroup_ ? cgroup_->fd() : -1},
                                      spawner_)
                       : engine::base::FailedPrecondition("the keeper is not set up");
  if (!status.ok()) {
    Send(Exited{.serial = order.serial, .exit = {.started = std::move(status)}});
    return;
  }
  children_left_ = true;
}

StatusOr<KeeperLoop::Running> KeeperLoop::StartCommand(Start& order) {
  if (!setup_) {
    return engine::base::FailedPrecondition("the keeper is not set up");
  }
  RETURN_IF_ERROR(output_->SetMasks(order.command.masks));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return FromErrno(errno, "pipe");
  }
  FileDescriptor read_end(ends[0]);
  const FileDescriptor write_end(ends[1]);
  Running running{.serial = order.serial, .started_at = MonotonicMicros()};
  ASSIGN_OR_RETURN(running.pid, spawner_.Spawn({.argv = &order.command.argv,
                                                .env = &order.command.env,
                                                .extra_env = mark_.c_str(),
                                                .workdir = order.command.workdir.c_str(),
                                                .input_fd = null_.get(),
                                                .output_fd = write_end.get(),
                                                .cgroup_fd = cgroup_ ? cgroup_->fd() : -1}));
  output_->Begin(std::move(read_end), order.command.log_tag, order.command.log_limit);
  output_->Say(order.command.preface);
  return running;
}

void KeeperLoop::Serve(const Signal& order) {
  if (order.lane != engine::ports::kOwnLane) {
    lanes_.Signal(order);
    return;
  }
  if (!running_ || order.signal <= 0 || order.signal >= NSIG) {
    return;
  }
  const bool asks = order.signal == SIGTERM || order.signal == SIGINT || order.signal == SIGHUP;
  running_->signalled = true;
  running_->told_to_end = asks || (running_->told_to_end && order.signal != SIGKILL);
  // The group in one go, then those who left it. Once the command is over its number, and so the
  // group's, may be another's.
  const pid_t group = running_->end ? 0 : running_->pid;
  if (group != 0) {
    kill(-group, order.signal);
  }
  for (const auto& process : OwnDescendants()) {
    if (process.group != group && process.state != 'Z') {
      SignalIf(process.pid, order.signal, [&] { return ParentOf(process.pid) == process.parent; });
    }
  }
  // A stopped process would not notice that it is asked to end.
  if (asks && group != 0) {
    kill(-group, SIGCONT);
  }
  if (running_->end && order.signal == SIGKILL) {
    CommandEnded();
  }
}

void KeeperLoop::Serve(const KillAll& order) {
  BeginKill(order.serial);
}

void KeeperLoop::Serve(KeepRecord& order) {
  kept_.push_back(std::move(order.record));
  offline_ = order.offline.count();
}

void KeeperLoop::Serve(const ForgetRecords& /*order*/) {
  kept_.clear();
  starts_ = 0;
  last_exit_.reset();
  lanes_.Forget();
}

void KeeperLoop::Serve(const Adopt& order) {
  Adopted adopted{.facts = facts_, .starts = starts_};
  if (order.version != kProtocolVersion) {
    adopted.status = InvalidArgument("the next owner speaks version {} of the protocol, not {}",
                                     order.version, kProtocolVersion);
  } else {
    for (const std::string& record : kept_) {
      Send(KeptRecord{record});
    }
  }
  Send(adopted);
}

void KeeperLoop::Serve(const Await& order) {
  if (order.lane != engine::ports::kOwnLane) {
    if (auto exited = lanes_.Await(order)) {
      Send(*std::move(exited));
    }
  } else if (running_) {
    running_->serial = order.serial;
  } else if (last_exit_) {
    Send(Exited{.serial = order.serial, .exit = *last_exit_});
  } else {
    Send(Exited{.serial = order.serial,
                .exit = {.started = engine::base::Unavailable("no command was started")}});
  }
}

/// An end is told, and kept for the owner after this one.
void KeeperLoop::TellExit(Serial serial, engine::ports::CommandExit exit) {
  if (!kept_.empty()) {
    last_exit_ = exit;
  }
  Send(Exited{.serial = serial, .exit = std::move(exit)});
}

void KeeperLoop::TellLanes(std::vector<Exited> ends) {
  for (Exited& ended : ends) {
    ended.exit.oom_killed = WasOutOfMemory(ended.exit);
    Send(ended);
  }
}

}  // namespace executors::sandboxes
