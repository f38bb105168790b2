// SPDX-License-Identifier: Apache-2.0
// Brings to this server what an agent that is gone had not delivered of its logs, out of the folder
// that it left on this machine. Takes the agent's place at the server's end of its stream: the same
// shipper reads the spool, the same acceptor checks whose logs they are.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "apps/network/log_gate.h"
#include "engine/base/status.h"

namespace apps::network {

struct LogSalvageOptions {
  std::string folder;       ///< the agent's; nobody uses it any more, its keepers neither
  LogGate* gate = nullptr;  ///< outlives the process' threads
  std::chrono::milliseconds patience = std::chrono::minutes(1);
};

/// OK when nothing is left that is not with the server for good, or when there never was anything.
/// Logs of steps that ran are cut behind their last byte. `Unavailable` when it took longer than
/// `patience` (another server owns the runs, the disk is full), `Cancelled` once `stop` asks; the
/// folder still has it, and doing it again is fine. Blocks.
engine::base::Status SalvageLogs(const LogSalvageOptions& options, const std::stop_token& stop);

}  // namespace apps::network
