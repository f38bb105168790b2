// SPDX-License-Identifier: Apache-2.0
// What is measured: the real `dayfly server` as a process of its own, on a private PostgreSQL with
// its durable defaults (or on SQLite), listening on loopback with TLS. Bench programs only: what
// cannot be set up ends the program with a message.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "agents/session/identity.h"
#include "api/client/connection.h"
#include "store/postgres/connection.h"
#include "tests/support/dayfly_process.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/temp_folder.h"

namespace bench::server {

enum class StoreKind : std::uint8_t { kPostgres, kSqlite };

/// What PostgreSQL has done since it started.
struct DatabaseCounters {
  std::uint64_t statements = 0;
  std::uint64_t rows = 0;  ///< inserted, updated and deleted
  std::uint64_t wal_bytes = 0;
};

struct Memory {
  double rss_bytes = 0;
  double anon_bytes = 0;  ///< private
  double peak_bytes = 0;
};
Memory MemoryOf(pid_t process);

class Site {
 public:
  explicit Site(StoreKind kind, const std::string& pools = "default: {}");

  /// To the socket of the operator.
  api::client::Connection Connect() const;
  const std::string& address() const { return address_; }
  pid_t server() const { return server_->pid(); }
  std::string File(const std::string& name) const { return folder_.File(name); }

  /// Workers that joined the pool `default`, each with a token of its own.
  std::vector<agents::session::AgentIdentity> Enrol(std::size_t count) const;
  /// A `dayfly` with these arguments that asks this server.
  tests::support::Launch Launch(std::vector<std::string> arguments, const std::string& name) const;
  std::string Token() const;
  /// A connection beside the server's; none with SQLite.
  std::unique_ptr<store::postgres::Connection> Database() const;
  /// All 0 with SQLite.
  DatabaseCounters Counters() const;

 private:
  void Configure(const std::string& pools) const;

  tests::support::TempFolder folder_;
  StoreKind kind_;
  std::unique_ptr<tests::support::PostgresCluster> cluster_;
  std::string database_;
  std::string address_;
  std::unique_ptr<tests::support::DayflyProcess> server_;
};

}  // namespace bench::server
