// SPDX-License-Identifier: Apache-2.0
// The keeper: one long-lived single-threaded process per slot that starts the commands of steps,
// owns their pipe, writes their logs, reaps them and kills what they leave behind. It is the same
// program as its owner, started as `<program> keeper --fd N`; `main` must hand over to
// `KeeperMain` before it initialises anything else, so that a keeper starts quickly and stays
// small.
#pragma once

namespace executors::sandboxes {

/// True for the arguments `keeper --fd N`.
bool IsKeeperCall(int argc, char** argv);

/// Serves the owner on the inherited descriptor until it goes, then kills everything that is left
/// and returns the exit code.
int KeeperMain(int argc, char** argv);

}  // namespace executors::sandboxes
