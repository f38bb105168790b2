// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/keeper_loop.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "engine/base/check.h"
#include "executors/sandboxes/keeper_marks.h"
#include "executors/sandboxes/monotonic_micros.h"
#include "executors/sandboxes/process_tree.h"

namespace executors::sandboxes {
namespace {

using engine::base::Cancelled;
using engine::base::FromErrno;
using engine::base::InvalidArgument;
using engine::base::OkStatus;
using engine::base::StatusOr;

constexpr std::int64_t kFirstScanWaitMicros = 2'000;
constexpr std::int64_t kLongestScanWaitMicros = 50'000;

void WriteNote(const std::string& run_folder, std::uint32_t slot, const std::string& text) {
  mkdir(NotesFolder(run_folder).c_str(), 0755);
  const FileDescriptor note(
      open(NotePath(run_folder, slot).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  // A note that cannot be written is no reason to stop: the mark in the environment finds them too.
  if (note.valid() && write(note.get(), text.data(), text.size()) < 0) {
    return;
  }
}

}  // namespace

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
  const auto wait = WaitMicros();
  const timespec timeout{.tv_sec = wait / 1'000'000, .tv_nsec = (wait % 1'000'000) * 1000};
  if (ppoll(polled.data(), polled.size(), wait == kNever ? nullptr : &timeout, nullptr) < 0) {
    CHECK(errno == EINTR || errno == ENOMEM);
    return;
  }
  // The pipe before the exit: what was printed first is written first. (`CommandEnded` drains it
  // anyway.)
  if (output_) {
    output_->Take(std::span(polled).subspan(2));
  }
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

/// What acts at once is served; the rest waits its turn.
void KeeperLoop::Take(Order order) {
  if (const auto* kill = std::get_if<KillAll>(&order)) {
    TakeKillAll(*kill);
  } else if (const auto* signal = std::get_if<Signal>(&order); signal != nullptr && running_) {
    Serve(*signal);
  } else {
    starts_ += std::holds_alternative<Start>(order) ? 1 : 0;
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
    const bool is_command = std::holds_alternative<Prepare>(next) ||
                            std::holds_alternative<Start>(next) ||
                            std::holds_alternative<KillAll>(next);
    if (running_ && is_command) {
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
  workspace_ = std::make_unique<Workspace>(setup_->run_folder, setup_->slot, setup_->allow_mounts);
  output_.emplace(LogSpool(setup_->run_folder + "/logs", setup_->slot,
                           {setup_->segment_bytes_max, setup_->spool_bytes_max}));
  MakeCgroup();
  return OkStatus();
}

void KeeperLoop::MakeCgroup() {
  facts_.kill_kind = "subreaper";
  if (!setup_->allow_cgroup) {
    facts_.fallbacks.emplace_back("cgroups are switched off: processes are found through /proc");
    return;
  }
  auto made = StepCgroup::Make(CgroupName(setup_->run_folder, setup_->slot));
  if (!made.ok()) {
    facts_.fallbacks.push_back(
        fmt::format("a cgroup refused ({}): processes are found through /proc",
                    engine::base::Message(made.status())));
    return;
  }
  cgroup_ = *std::move(made);
  oom_kills_seen_ = cgroup_->OomKills();
  facts_.kill_kind = "cgroup";
  WriteNote(setup_->run_folder, setup_->slot, cgroup_->folder());
}

void KeeperLoop::Serve(Prepare& order) {
  const auto status = setup_ ? workspace_->Prepare(order.mount, facts_)
                             : engine::base::FailedPrecondition("the keeper is not set up");
  Send(Prepared{.serial = order.serial, .status = status, .facts = facts_});
}

void KeeperLoop::Serve(Start& order) {
  last_exit_.reset();
  auto running = StartCommand(order);
  if (!running.ok()) {
    TellExit(order.serial, {.started = running.status()});
    return;
  }
  running_ = *std::move(running);
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
  if (!running_ || order.signal <= 0 || order.signal >= NSIG) {
    return;
  }
  // The group in one go, then those who left it.
  kill(-running_->pid, order.signal);
  for (const auto& process : DescendantsOf(getpid())) {
    if (process.group != running_->pid && process.state != 'Z') {
      SignalIf(process.pid, order.signal, [&] { return ParentOf(process.pid) == process.parent; });
    }
  }
  // A stopped process would not notice that it is asked to end.
  if (order.signal == SIGTERM || order.signal == SIGINT || order.signal == SIGHUP) {
    kill(-running_->pid, SIGCONT);
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
  if (running_) {
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

void KeeperLoop::OnSignals() {
  signalfd_siginfo info{};
  bool asked_to_end = false;
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    asked_to_end = asked_to_end || info.ssi_signo == SIGTERM;
  }
  ReapAll();
  if (asked_to_end) {
    Leave();
  }
}

/// Collects everybody who ended. True when no child is left, and so, the keeper being the reaper of
/// all orphans, nothing of what was started.
bool KeeperLoop::ReapAll() {
  bool main_ended = false;
  siginfo_t main{};
  for (;;) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0) {
      if (errno == EINTR) {
        continue;
      }
      children_left_ = false;
      break;
    }
    if (info.si_pid == 0) {
      children_left_ = true;
      break;
    }
    if (running_ && info.si_pid == running_->pid) {
      main_ended = true;
      main = info;
    }
  }
  if (main_ended) {
    CommandEnded(main.si_code, main.si_status);
  }
  return !children_left_;
}

void KeeperLoop::CommandEnded(int wait_code, int wait_status) {
  const auto took = MonotonicMicros() - running_->started_at;
  engine::ports::CommandExit exit;
  if (wait_code == CLD_EXITED) {
    exit.exit_code = wait_status;
  } else {
    exit.signal = wait_status;
    exit.core_dumped = wait_code == CLD_DUMPED;
    if (wait_status == SIGKILL && cgroup_) {
      const auto kills = cgroup_->OomKills();
      exit.oom_killed = kills > std::exchange(oom_kills_seen_, kills);
    }
  }
  exit.leftover = children_left_ ? CountLeft() : 0;
  exit.took = engine::base::Duration(took);
  auto log = output_->End(children_left_);
  exit.log = std::move(log.log);
  exit.log_status = std::move(log.status);
  TellExit(running_->serial, std::move(exit));
  running_.reset();
}

std::uint32_t KeeperLoop::CountLeft() const {
  const auto left = DescendantsOf(getpid());
  return static_cast<std::uint32_t>(std::count_if(
      left.begin(), left.end(), [](const Process& process) { return process.state != 'Z'; }));
}

void KeeperLoop::BeginKill(std::optional<Serial> serial) {
  if (killing_) {
    killing_->serial = serial ? serial : killing_->serial;
    return;
  }
  killing_ = Killing{.serial = serial, .wait = kFirstScanWaitMicros};
  ContinueKill();
}

void KeeperLoop::ContinueKill() {
  if (!ReapAll()) {
    if (MonotonicMicros() >= killing_->scan_at) {
      KillSurvivors();
      killing_->scan_at = MonotonicMicros() + killing_->wait;
      killing_->wait = std::min(killing_->wait * 2, kLongestScanWaitMicros);
    }
    return;
  }
  if (output_) {
    output_->DropLeftRunning();
  }
  RenewCgroup();
  const auto serial = killing_->serial;
  killing_.reset();
  if (serial) {
    Send(Killed{.serial = *serial});
  }
  if (life_ == Life::kLeaving) {
    finished_ = true;
    if (workspace_) {
      workspace_->TearDown();
    }
    if (cgroup_) {
      cgroup_->Remove();
    }
  }
}

/// Where that is refused, the walk through /proc does alone what both did.
void KeeperLoop::RenewCgroup() {
  if (!cgroup_ || life_ == Life::kLeaving) {
    return;
  }
  if (const auto renewed = cgroup_->Renew(); !renewed.ok()) {
    facts_.kill_kind = "subreaper";
    facts_.fallbacks.push_back(
        fmt::format("a cgroup refused to be made anew ({}): processes are found through /proc",
                    engine::base::Message(renewed)));
    cgroup_.reset();
    return;
  }
  oom_kills_seen_ = cgroup_->OomKills();
}

/// The cgroup is killed in one go; the walk finds those who left it, or all where there is none.
/// Whoever forks meanwhile is found by the next look: orphans come to us.
void KeeperLoop::KillSurvivors() {
  if (cgroup_) {
    cgroup_->Kill();
  }
  for (const auto& process : DescendantsOf(getpid())) {
    if (process.state != 'Z') {
      SignalSame(process, SIGKILL);
    }
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
