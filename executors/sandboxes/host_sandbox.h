// SPDX-License-Identifier: Apache-2.0
// The sandbox that only keeps processes together: commands run on this machine as this user, in a
// workspace of their own; they can read everything the user can. The owner's side of a keeper.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "engine/base/status.h"
#include "engine/ports/sandbox.h"

namespace executors::sandboxes {

struct HostSandboxOptions {
  std::string run_folder;  ///< absolute, exists; logs, layers and the keeper's notes go below it
  std::uint32_t slot = 0;
  /// Started as `<program> keeper --fd N`; its `main` calls `KeeperMain`.
  std::string keeper_program = "/proc/self/exe";
  std::uint64_t segment_bytes_max = 64ULL << 20;
  /// When the slot's segments hold so much, commands wait in their writes until somebody who has
  /// taken segments over removes them. 0: nobody does, there is no limit.
  std::uint64_t spool_bytes_max = 0;
  bool allow_cgroup = true;  ///< false: as on a machine that refuses it
  bool allow_mounts = true;
  /// Under an agent: with records kept, the keeper and what it runs go on when this process dies,
  /// for the next one to adopt.
  bool outlives_owner = false;
  /// Told once, on the `io_context`, when the keeper died although nobody let it go. Everything
  /// that was pending has been answered with `Unavailable` before, and what it had started is dead.
  std::function<void(engine::base::Status)> on_lost;
};

/// Starts a keeper and returns at once, without waiting for it: orders given now are served when it
/// is up. The destructor lets the keeper go and returns when nothing it started is alive.
engine::base::StatusOr<std::unique_ptr<engine::ports::Sandbox>> StartHostSandbox(
    boost::asio::io_context& io, HostSandboxOptions options);

/// Takes over the keeper that a dead process of this user left in the slot. Waits for its answer, a
/// few milliseconds as a rule. `NotFound`: there is none; any other error: there is one that cannot
/// be used (`ReapSlotLeftovers` ends it). Of `options` the folder, the slot and `on_lost` count.
engine::base::StatusOr<engine::ports::AdoptedSandbox> AdoptHostSandbox(boost::asio::io_context& io,
                                                                       HostSandboxOptions options);

}  // namespace executors::sandboxes
