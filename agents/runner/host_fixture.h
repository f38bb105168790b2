// SPDX-License-Identifier: Apache-2.0
// For tests: a runner with real keepers and real processes, in a run folder of its own.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "agents/runner/runner_fixture.h"
#include "executors/sandboxes/host_sandbox.h"

namespace agents::runner {

class HostRunnerTest : public RunnerTest {
 protected:
  HostRunnerTest() {
    run_folder_ = folder_ + "/run";
    std::filesystem::create_directory(run_folder_);
    context_.workspace = run_folder_ + "/ws";
  }
  std::unique_ptr<engine::ports::Sandbox> MakeSandbox(std::uint32_t slot) override {
    auto made = executors::sandboxes::StartHostSandbox(
        io_, {.run_folder = run_folder_, .slot = slot, .keeper_program = DAYFLY_KEEPER});
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *std::move(made) : nullptr;
  }

  std::string run_folder_;
};

}  // namespace agents::runner
