// SPDX-License-Identifier: Apache-2.0
// The keeper's processes: who ended, what is left, and how all of it is killed.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "executors/sandboxes/keeper_loop.h"
#include "executors/sandboxes/keeper_marks.h"
#include "executors/sandboxes/monotonic_micros.h"
#include "executors/sandboxes/process_tree.h"

namespace executors::sandboxes {
namespace {

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
      running_->end = info;
    }
  }
  if (running_ && running_->end && !IsEnding()) {
    CommandEnded();
  }
  return !children_left_;
}

bool KeeperLoop::IsEnding() const {
  return running_->told_to_end && !killing_ && children_left_ && CountLeft() > 0;
}

void KeeperLoop::CommandEnded() {
  const auto took = MonotonicMicros() - running_->started_at;
  engine::ports::CommandExit exit;
  if (running_->end->si_code == CLD_EXITED) {
    exit.exit_code = running_->end->si_status;
  } else {
    exit.signal = running_->end->si_status;
    exit.core_dumped = running_->end->si_code == CLD_DUMPED;
    exit.oom_killed = WasOutOfMemory(exit);
  }
  exit.signalled = running_->signalled;
  exit.leftover = children_left_ ? CountLeft() : 0;
  exit.took = engine::base::Duration(took);
  auto log = output_->End(children_left_);
  exit.log = std::move(log.log);
  exit.log_status = std::move(log.status);
  exit.annotations = output_->TakeAnnotations();
  TellExit(running_->serial, std::move(exit));
  running_.reset();
}

bool KeeperLoop::WasOutOfMemory(const engine::ports::CommandExit& exit) {
  if (exit.signal != SIGKILL || !cgroup_) {
    return false;
  }
  const auto kills = cgroup_->OomKills();
  return kills > std::exchange(oom_kills_seen_, kills);
}

/// Without those in lanes.
std::vector<Process> KeeperLoop::OwnDescendants() const {
  return WithoutTrees(DescendantsOf(getpid()), lanes_.keepers());
}

std::uint32_t KeeperLoop::CountLeft() const {
  const auto left = OwnDescendants();
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
  TellLanes(lanes_.Drop());
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

}  // namespace executors::sandboxes
