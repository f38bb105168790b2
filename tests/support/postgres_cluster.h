// SPDX-License-Identifier: Apache-2.0
// A private PostgreSQL in a temporary folder, reached through a unix socket there and nothing else.
// Killing processes loses nothing that the kernel holds, and no test cuts the power: so nothing is
// flushed to the disk, unless `durable` asks for PostgreSQL's own defaults. When the test is root,
// the server runs as `postgres` or `nobody`; when the test dies, the kernel tells the server to
// leave. One thread.
#pragma once

#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tests::support {

struct ClusterOptions {
  std::vector<std::string> settings;  ///< `name=value`, beyond the defaults
  std::string parent;                 ///< of its folder; empty: that of temporary files
  bool durable = false;               ///< flushes each commit, as a database in use must
};

class PostgresCluster {
 public:
  /// Makes a cluster and starts it; CHECKs that it can.
  explicit PostgresCluster(const ClusterOptions& options = {});
  ~PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  /// An empty database of its own; returns what libpq connects with.
  std::string NewDatabase();
  /// The folder of the socket.
  const std::string& socket_folder() const { return folder_; }
  std::string socket() const { return folder_ + "/.s.PGSQL.5432"; }

  /// Kills the server and all its processes with SIGKILL and waits until none is left.
  void Kill();
  /// After `Kill` or `Stop`; returns when connections are taken.
  void Start();
  /// Ends connections and writes everything down.
  void Stop();

 private:
  void InitDatabases();
  void Run(const std::vector<std::string>& command, int wanted_status);
  pid_t Spawn(const std::vector<std::string>& command);
  bool TakesConnections();
  std::string Log() const;

  ClusterOptions options_;
  std::string folder_;
  uid_t user_ = 0;
  gid_t group_ = 0;
  pid_t server_ = 0;
  int databases_ = 0;
};

/// The one cluster of this test program, made on first use.
PostgresCluster& SharedCluster();

}  // namespace tests::support
