// SPDX-License-Identifier: Apache-2.0
// Real servers on one real PostgreSQL, real agents that join them, and people who submit: each a
// process of its own that can be killed. Servers keep their ports over restarts, because agents
// and people know them by nothing else.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "api/client/connection.h"
#include "executors/sandboxes/file_descriptor.h"
#include "tests/support/dayfly_process.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/temp_folder.h"

namespace tests::recovery {

class Site {
 public:
  /// Makes the settings of so many servers and a database, and starts the servers one after the
  /// other: the first owns the runs.
  /// `pool`: what the pool `default` is like.
  explicit Site(int servers = 1, std::string pool = "{}");
  ~Site();

  std::string File(const std::string& name) const { return folder_.File(name); }
  const std::string& folder() const { return text_folder_; }
  support::PostgresCluster& postgres() { return postgres_; }
  const std::string& database() const { return database_; }
  /// A patient client of all servers.
  api::client::Target Target() const;
  /// Every server process there was, in order; what it said stands in `NAME.errors`.
  const std::vector<std::string>& server_processes() const { return server_processes_; }
  /// All addresses, as `--server` takes them.
  std::string addresses() const;

  /// Returns when the server stands (as owner or standby).
  void StartServer(int server);
  void KillServer(int server);
  /// SIGTERM, and waits; its exit code.
  int StopServer(int server);
  /// Until some server owns the runs and answers.
  void AwaitService() const;

  /// A token of the pool `default`, from whichever server owns.
  std::string Token();
  /// A new agent joins, with a folder of its own.
  void StartAgent(const std::string& name, int slots = 1);
  /// Until so many are connected.
  void AwaitWorkers(int workers) const;
  /// The agent whose folder is there starts again.
  void RestartAgent(const std::string& name, int slots = 1);
  /// SIGKILL; its keepers go on.
  void KillAgent(const std::string& name);
  /// All keepers of this test's agents, those of killed agents included.
  std::vector<pid_t> Keepers() const;

  /// `dayfly` with `arguments`, as a person who knows all servers.
  support::Ended Run(std::vector<std::string> arguments) const;
  std::unique_ptr<support::DayflyProcess> Start(std::vector<std::string> arguments,
                                                const std::string& name) const;
  /// `submit --watch` of a pipeline.
  std::unique_ptr<support::DayflyProcess> Submit(const std::string& pipeline,
                                                 const std::string& name = "submit") const;

  /// What all of them said, for a failure's message.
  std::string Errors() const;

 private:
  struct Server {
    std::string folder;
    std::string address;
    std::unique_ptr<support::DayflyProcess> process;
  };
  void WriteSettings(const Server& server) const;
  void ReapLaunched() const;
  support::Launch LaunchOf(std::vector<std::string> arguments, const std::string& name) const;
  void StartAgentWith(const std::string& name, int slots, const std::string& token);

  const std::string pool_;
  support::TempFolder folder_;
  std::string text_folder_ = folder_.path().string();
  support::PostgresCluster postgres_;
  std::string database_ = postgres_.NewDatabase();
  std::vector<Server> servers_;
  std::vector<std::string> server_processes_;
  std::map<std::string, std::unique_ptr<support::DayflyProcess>> agents_;
};

/// A job whose step says that it began and then waits to be let go on. Each time that it begins it
/// leaves a line.
class HeldStep {
 public:
  explicit HeldStep(const Site& site, const std::string& name = "held");
  const std::string& pipeline() const { return pipeline_; }
  void AwaitBegin() const;
  void LetGoOn() const;
  int times_begun() const;

 private:
  executors::sandboxes::FileDescriptor began_;
  executors::sandboxes::FileDescriptor gate_;
  std::string marks_;
  std::string pipeline_;
};

/// All of a file.
std::string TextOf(const std::string& path);

}  // namespace tests::recovery
