// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/keeper_lanes.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <variant>

namespace executors::sandboxes {

using engine::base::FromErrno;
using engine::base::OkStatus;
using engine::base::Status;
using engine::base::StatusOr;
using engine::ports::CommandExit;
using engine::ports::Lane;

namespace {

/// To a lane's keeper its command is the only one there is.
constexpr Serial kLaneSerial = 1;

/// It writes the lane's log and nothing else: the workspace and the cgroup are the slot keeper's,
/// and so is the mark by which its processes are found.
SetUp SetUpOf(Lane lane, const SetUp& slot) {
  SetUp setup = slot;
  setup.owner_gone = OwnerGone::kKillAndLeave;
  setup.lane = lane;
  setup.allow_cgroup = false;
  setup.allow_mounts = false;
  return setup;
}

}  // namespace

StatusOr<KeeperLanes::LaneState> KeeperLanes::Open(Lane lane, const LaneOrigin& origin,
                                                   Spawner& spawner) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return FromErrno(errno, "socketpair");
  }
  LaneState state;
  state.socket = FileDescriptor(ends[0]);
  const FileDescriptor theirs(ends[1]);
  // Defects are told where this keeper tells its own.
  const FileDescriptor errors(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, kKeptFd));
  const std::vector<std::string> argv = {"/proc/self/exe", "keeper", "--fd",
                                         std::to_string(kKeptFd)};
  const std::vector<std::string> env;
  ASSIGN_OR_RETURN(state.keeper,
                   spawner.Spawn({.argv = &argv,
                                  .env = &env,
                                  .extra_env = origin.mark,
                                  .workdir = "/",
                                  .input_fd = origin.null_fd,
                                  .output_fd = errors.valid() ? errors.get() : origin.null_fd,
                                  .keep_fd = theirs.get(),
                                  .cgroup_fd = origin.cgroup_fd}));
  Tell(state, SetUpOf(lane, *origin.setup));
  return state;
}

Status KeeperLanes::Start(sandboxes::Start& order, const LaneOrigin& origin, Spawner& spawner) {
  const Lane lane = order.command.lane;
  auto found = lanes_.find(lane);
  if (found != lanes_.end() && found->second.running) {
    return engine::base::FailedPrecondition("a command runs in lane {} already", lane);
  }
  if (found == lanes_.end() || !found->second.socket.valid()) {
    ASSIGN_OR_RETURN(LaneState opened, Open(lane, origin, spawner));
    found = lanes_.insert_or_assign(lane, std::move(opened)).first;
  }
  LaneState& state = found->second;
  state.running = order.serial;
  state.last_exit.reset();
  order.command.lane = engine::ports::kOwnLane;
  Tell(state, sandboxes::Start{.serial = kLaneSerial, .command = std::move(order.command)});
  return OkStatus();
}

void KeeperLanes::Signal(const sandboxes::Signal& order) {
  const auto found = lanes_.find(order.lane);
  if (found != lanes_.end() && found->second.running) {
    Tell(found->second, sandboxes::Signal{.signal = order.signal});
  }
}

std::optional<Exited> KeeperLanes::Await(const sandboxes::Await& order) {
  const auto found = lanes_.find(order.lane);
  if (found != lanes_.end() && found->second.running) {
    found->second.running = order.serial;
    return std::nullopt;
  }
  if (found != lanes_.end() && found->second.last_exit) {
    return Exited{.serial = order.serial, .exit = *found->second.last_exit};
  }
  return Exited{.serial = order.serial,
                .exit = {.started = engine::base::Unavailable("no command was started")}};
}

void KeeperLanes::Forget() {
  for (auto& [lane, state] : lanes_) {
    state.last_exit.reset();
  }
}

void KeeperLanes::AddTo(std::vector<pollfd>& polled) const {
  for (const auto& [lane, state] : lanes_) {
    const short events = state.unsent.empty() ? POLLIN : POLLIN | POLLOUT;
    polled.push_back({.fd = state.socket.get(), .events = events});
  }
}

std::vector<Exited> KeeperLanes::Take(std::span<const pollfd> polled) {
  std::vector<Exited> ends;
  std::size_t next = 0;
  for (auto& [lane, state] : lanes_) {
    const short events = next < polled.size() ? polled[next++].revents : short{0};
    if ((events & POLLOUT) != 0) {
      Flush(state);
    }
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 && !TakeFrames(state, ends)) {
      Lose(state, ends);
    }
  }
  return ends;
}

std::vector<Exited> KeeperLanes::Drop() {
  std::vector<Exited> ends;
  for (auto& [lane, state] : lanes_) {
    Lose(state, ends);
  }
  lanes_.clear();
  return ends;
}

std::set<pid_t> KeeperLanes::keepers() const {
  std::set<pid_t> pids;
  for (const auto& [lane, state] : lanes_) {
    if (state.socket.valid()) {
      pids.insert(state.keeper);
    }
  }
  return pids;
}

void KeeperLanes::Tell(LaneState& state, const Order& order) {
  if (EncodeFrame(order, state.unsent)) {
    Flush(state);
  }
}

void KeeperLanes::Flush(LaneState& state) {
  while (!state.unsent.empty() && state.socket.valid()) {
    const auto sent = send(state.socket.get(), state.unsent.data(), state.unsent.size(),
                           MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN && errno != EINTR) {
        state.unsent.clear();  // It is gone; reading tells the same, and there it is dealt with.
      }
      return;
    }
    state.unsent.erase(0, static_cast<std::size_t>(sent));
  }
}

/// False: its keeper is gone, or speaks nonsense.
bool KeeperLanes::TakeFrames(LaneState& state, std::vector<Exited>& ends) {
  const auto room = state.received.Room(64 << 10);
  const auto bytes = recv(state.socket.get(), room.data(), room.size(), MSG_DONTWAIT);
  if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) {
    return true;
  }
  if (bytes <= 0) {
    return false;
  }
  state.received.Received(static_cast<std::size_t>(bytes));
  for (;;) {
    const auto frame = state.received.Next();
    if (!frame.ok() || frame->empty()) {
      return frame.ok();
    }
    auto answer = DecodeAnswer(*frame);
    if (!answer.ok()) {
      return false;
    }
    if (auto* exited = std::get_if<Exited>(&*answer)) {
      End(state, std::move(exited->exit), ends);
    }
  }
}

/// An end is told, and kept for the owner after this one.
void KeeperLanes::End(LaneState& state, CommandExit exit, std::vector<Exited>& ends) {
  if (const auto serial = std::exchange(state.running, std::nullopt)) {
    state.last_exit = exit;
    ends.push_back({.serial = *serial, .exit = std::move(exit)});
  }
}

void KeeperLanes::Lose(LaneState& state, std::vector<Exited>& ends) {
  state.socket.Close();
  state.unsent.clear();
  End(state, {.started = engine::base::Unavailable("the keeper of a background step died")}, ends);
}

}  // namespace executors::sandboxes
