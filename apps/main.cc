// SPDX-License-Identifier: Apache-2.0
// The program `dayfly`: the command line, or, started by itself, the keeper of a slot.
#include "apps/command_line.h"
#include "apps/run_stats.h"
#include "apps/standard_streams.h"
#include "executors/sandboxes/keeper.h"

int main(int argc, char** argv) {
  // A keeper must be up at once and stay small: nothing is initialised before this.
  if (executors::sandboxes::IsKeeperCall(argc, argv)) {
    return executors::sandboxes::KeeperMain(argc, argv);
  }
  apps::OpenMissingStreams();
  apps::MarkProgramStart();
  return apps::FlushOutput(apps::Main(argc, argv));
}
