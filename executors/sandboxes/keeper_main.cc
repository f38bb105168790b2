// SPDX-License-Identifier: Apache-2.0
// A program that is only a keeper, for tests whose own program has another `main`.
#include "executors/sandboxes/keeper.h"

int main(int argc, char** argv) {
  return executors::sandboxes::KeeperMain(argc, argv);
}
