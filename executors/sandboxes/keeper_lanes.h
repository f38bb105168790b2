// SPDX-License-Identifier: Apache-2.0
// Commands that run beside a keeper's own, each in a lane: under a keeper of its own, which is this
// one's child. So whatever such a command starts, daemons included, can be told from what the
// others started, sees the same mounts, is found by the same mark and cgroup, and dies with this
// keeper. The lane's keeper knows nothing of all this: to it, this one is its owner.
//
// Used by the keeper's loop, on its one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <poll.h>
#include <set>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "engine/base/status.h"
#include "engine/ports/sandbox.h"
#include "executors/sandboxes/file_descriptor.h"
#include "executors/sandboxes/keeper_protocol.h"
#include "executors/sandboxes/spawn.h"

namespace executors::sandboxes {

/// What a lane's keeper takes over from the slot's.
struct LaneOrigin {
  const SetUp* setup = nullptr;
  const char* mark = nullptr;  ///< of the slot
  int null_fd = -1;
  int cgroup_fd = -1;  ///< -1: none
};

class KeeperLanes {
 public:
  /// Starts the command in its lane, which is opened if need be. Its end comes from `Take`.
  engine::base::Status Start(sandboxes::Start& order, const LaneOrigin& origin, Spawner& spawner);
  void Signal(const sandboxes::Signal& order);
  /// The end of the lane's command, if it has come; else it will come under this serial.
  std::optional<Exited> Await(const sandboxes::Await& order);
  /// Ends that came before this are not asked for any more.
  void Forget();

  /// Appends what this waits for: one entry a lane.
  void AddTo(std::vector<pollfd>& polled) const;
  /// Ends of commands; `polled` are those that `AddTo` appended, after the poll. A lane whose
  /// keeper died answers `Unavailable`.
  std::vector<Exited> Take(std::span<const pollfd> polled);
  /// All lanes' processes are gone: closes the lanes; ends nobody heard of.
  std::vector<Exited> Drop();

  /// The lanes' keepers, for telling their descendants from others.
  std::set<pid_t> keepers() const;

 private:
  struct LaneState {
    pid_t keeper = 0;
    FileDescriptor socket;
    FrameBuffer received;
    std::string unsent;
    std::optional<Serial> running;  ///< as the owner calls the command
    std::optional<engine::ports::CommandExit> last_exit;
  };

  static engine::base::StatusOr<LaneState> Open(engine::ports::Lane lane, const LaneOrigin& origin,
                                                Spawner& spawner);
  static void Tell(LaneState& state, const Order& order);
  static void Flush(LaneState& state);
  static bool TakeFrames(LaneState& state, std::vector<Exited>& ends);
  static void End(LaneState& state, engine::ports::CommandExit exit, std::vector<Exited>& ends);
  static void Lose(LaneState& state, std::vector<Exited>& ends);

  std::map<engine::ports::Lane, LaneState> lanes_;
};

}  // namespace executors::sandboxes
