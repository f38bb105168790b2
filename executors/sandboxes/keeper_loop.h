// SPDX-License-Identifier: Apache-2.0
// The keeper's loop: orders in, answers out, one command at a time and others beside it in lanes.
// Single-threaded; waits in `poll` on the owner, SIGCHLD, what commands print (`CommandOutput`) and
// the lanes' keepers.
//
// A command ends when its main process does. What it left running may go on until the attempt's end
// (`KillAll`).
//
// When the owner is gone, a keeper of `dayfly run` kills everything and leaves. One of an agent
// that holds records (`KeepRecord`) goes on alone, until the next owner adopts it or `offline` has
// passed:
//
//   owned ──owner gone, nothing kept──▶ leaving ──nothing left──▶ (ends)
//     │ ▲                                  ▲
//     │ └──adopted── alone ──offline ends──┘
//     └──owner gone────▲
#pragma once

#include <csignal>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "engine/ports/sandbox.h"
#include "executors/sandboxes/cgroup.h"
#include "executors/sandboxes/command_output.h"
#include "executors/sandboxes/file_descriptor.h"
#include "executors/sandboxes/keeper_door.h"
#include "executors/sandboxes/keeper_lanes.h"
#include "executors/sandboxes/keeper_protocol.h"
#include "executors/sandboxes/process_tree.h"
#include "executors/sandboxes/spawn.h"
#include "executors/sandboxes/workspace.h"

namespace executors::sandboxes {

class KeeperLoop {
 public:
  explicit KeeperLoop(FileDescriptor owner);
  /// Returns when the owner is gone and nothing is left. The exit code of the process.
  int Run();

 private:
  struct Running {
    Serial serial = 0;
    pid_t pid = 0;
    std::int64_t started_at = 0;  ///< monotonic microseconds
    bool signalled = false;
    bool told_to_end = false;      ///< and not killed yet: what it started may take its time, too
    std::optional<siginfo_t> end;  ///< it has ended itself
  };
  struct Killing {
    std::optional<Serial> serial;  ///< to be answered
    std::int64_t scan_at = 0;      ///< when to look for survivors next
    std::int64_t wait = 0;         ///< grows from look to look
  };

  // What happened outside.
  void Wait();
  std::int64_t WaitMicros() const;
  void OnOwnerReadable();
  void OnSignals();
  void OwnerIsGone();
  void Leave();
  void TakeNextOwner();
  void CheckOffline();

  // Orders.
  void Take(Order order);
  void TakeKillAll(const KillAll& order);
  void ServeWaiting();
  void Serve(SetUp& order);
  void Serve(Prepare& order);
  void Serve(Start& order);
  void StartInLane(Start& order);
  void Serve(const Signal& order);
  void Serve(const KillAll& order);
  void Serve(KeepRecord& order);
  void Serve(const ForgetRecords& order);
  void Serve(const Adopt& order);
  void Serve(const Await& order);
  engine::base::Status MakeReady(SetUp& order);
  void MakeCgroup();
  engine::base::StatusOr<Running> StartCommand(Start& order);

  // Processes.
  bool ReapAll();
  /// It was told to end and did, and some of what it started has not yet.
  bool IsEnding() const;
  void CommandEnded();
  void TellExit(Serial serial, engine::ports::CommandExit exit);
  void TellLanes(std::vector<Exited> ends);
  /// The last to be killed by the kernel for want of memory was this command.
  bool WasOutOfMemory(const engine::ports::CommandExit& exit);
  std::vector<Process> OwnDescendants() const;
  std::uint32_t CountLeft() const;
  void BeginKill(std::optional<Serial> serial);
  void ContinueKill();
  void KillSurvivors();
  void RenewCgroup();

  void Send(const Answer& answer);
  void FlushAnswers();

  enum class Life { kOwned, kAlone, kLeaving };

  Life life_ = Life::kOwned;
  FileDescriptor owner_;
  KeeperDoor door_;
  FileDescriptor signals_;
  FileDescriptor null_;
  FrameBuffer received_;
  std::string answers_;  ///< not yet taken by the socket
  bool finished_ = false;

  std::vector<std::string> kept_;
  std::int64_t offline_ = 0;          ///< microseconds
  std::int64_t offline_ends_at_ = 0;  ///< while alone
  std::uint64_t starts_ = 0;          ///< of steps, since nothing was kept
  /// How the last command ended, until it is forgotten: the owner may die before it has heard.
  std::optional<engine::ports::CommandExit> last_exit_;

  std::optional<SetUp> setup_;
  std::string mark_;
  engine::ports::SandboxFacts facts_;
  std::unique_ptr<Workspace> workspace_;
  std::optional<CommandOutput> output_;
  std::optional<StepCgroup> cgroup_;
  std::uint64_t oom_kills_seen_ = 0;
  Spawner spawner_;
  KeeperLanes lanes_;

  std::deque<Order> waiting_;
  std::optional<Running> running_;
  std::optional<Killing> killing_;
  bool children_left_ = false;  ///< as of the last `ReapAll`
};

}  // namespace executors::sandboxes
