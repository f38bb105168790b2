// SPDX-License-Identifier: Apache-2.0
// The real program as server, agents and clients, in a folder of the test's own; and pipelines
// whose steps the test holds by named pipes, so that no clock decides anything.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/dayfly_process.h"
#include "tests/support/temp_folder.h"

namespace tests::server {

class RealServer : public testing::Test {
 protected:
  void SetUp() override;
  /// Agents that the server started go on without it: they are ended here.
  void TearDown() override;

  std::string File(const std::string& name) const { return folder_.File(name); }
  support::Launch Launch(std::vector<std::string> arguments, const std::string& name) const;
  /// A command, to its end.
  support::Ended Run(std::vector<std::string> arguments) const;

  /// In `server.yml`: the line that begins with `key`, before the server is started (again).
  void Set(const std::string& key, const std::string& value) const;
  void StartServer();
  /// With the settings as they are now, at the same address.
  void RestartServer();

  std::string Token(const std::string& pool = "default") const;
  /// In the folder `name`; without a token it has joined before.
  std::unique_ptr<support::DayflyProcess> Agent(const std::string& token,
                                                const std::string& name = "agent",
                                                const std::string& slots = "1") const;
  /// Watches it, too: plain lines, the first when the run is accepted.
  std::unique_ptr<support::DayflyProcess> Submit(const std::string& pipeline) const;
  /// Without watching: the run's id.
  std::string SubmitOnly(const std::string& pipeline) const;
  void ExpectSuccess(support::DayflyProcess& submitted) const;

  /// A step that says that it began, then waits to be let go on. `name` tells several apart.
  std::string HeldStep(const std::string& name = "held") const;
  void AwaitBegin(const std::string& name = "held") const;
  void LetGoOn(const std::string& name = "held") const;

  /// Of the agents that the server started and that live.
  std::vector<pid_t> Launched() const;
  /// All standard errors, for a failing test.
  std::string Errors() const;

  support::TempFolder folder_;
  std::string address_;
  std::unique_ptr<support::DayflyProcess> server_;
};

std::string TextOf(const std::string& path);

}  // namespace tests::server
