// SPDX-License-Identifier: Apache-2.0
// The program `dayfly-network`: `dayfly` with everything in it; see `apps/network_part.h`.
#include "apps/command_line.h"
#include "apps/network/agent_command.h"
#include "apps/network/server_command.h"
#include "apps/network/server_init.h"
#include "apps/network/server_runs.h"
#include "apps/network/submit_command.h"
#include "apps/network/workers_command.h"
#include "apps/network_part.h"
#include "apps/run_stats.h"
#include "apps/standard_streams.h"
#include "executors/sandboxes/keeper.h"

namespace {

constexpr apps::NetworkPart kPart = {
    .server = apps::network::ServerCommand,
    .server_init = apps::network::ServerInitCommand,
    .submit = apps::network::SubmitCommand,
    .watch = apps::network::WatchCommand,
    .retry = apps::network::RetryCommand,
    .workers = apps::network::WorkersCommand,
    .pools = apps::network::PoolsCommand,
    .agent = apps::network::AgentCommand,
    .open_runs = apps::network::OpenServerRuns,
};

}  // namespace

int main(int argc, char** argv) {
  if (executors::sandboxes::IsKeeperCall(argc, argv)) {
    return executors::sandboxes::KeeperMain(argc, argv);
  }
  apps::OpenMissingStreams();
  apps::MarkProgramStart();
  apps::UseNetworkPart(kPart);
  return apps::FlushOutput(apps::Main(argc, argv));
}
