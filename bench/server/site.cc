// SPDX-License-Identifier: Apache-2.0
#include "bench/server/site.h"

#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "api/client/worker_client.h"
#include "engine/base/check.h"

namespace bench::server {
namespace {

using tests::support::DayflyProcess;

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Bytes of `name:  N kB` in /proc/PID/status.
double StatusField(const std::string& text, const std::string& name) {
  const std::size_t at = text.find("\n" + name + ":");
  CHECK(at != std::string::npos);
  return std::stod(text.substr(at + name.size() + 2)) * 1024;
}

tests::support::ClusterOptions CountingStatements() {
  return {.settings = {"shared_preload_libraries=pg_stat_statements"}, .durable = true};
}

}  // namespace

Memory MemoryOf(pid_t process) {
  const std::string text = TextOf(fmt::format("/proc/{}/status", process));
  return {.rss_bytes = StatusField(text, "VmRSS"),
          .anon_bytes = StatusField(text, "RssAnon"),
          .peak_bytes = StatusField(text, "VmHWM")};
}

Site::Site(StoreKind kind, const std::string& pools) : kind_(kind) {
  if (kind == StoreKind::kPostgres) {
    cluster_ = std::make_unique<tests::support::PostgresCluster>(CountingStatements());
    database_ = cluster_->NewDatabase();
    CHECK(Database()->Run({"count", "CREATE EXTENSION pg_stat_statements"}).ok());
  }
  const auto made = tests::support::RunDayfly(
      Launch({"server", "init", File("srv"), "--host", "127.0.0.1"}, "init"));
  CHECK_MSG(made.exit_code == 0, TextOf(File("init.errors")).c_str());
  Configure(pools);
  server_ = std::make_unique<DayflyProcess>(
      Launch({"server", "--config", File("srv"), "--print-ready"}, "server"));
  std::string ready;
  CHECK_MSG(server_->ReadLine(ready), TextOf(File("server.errors")).c_str());
  address_ = ready.substr(ready.rfind(' ') + 1);
}

void Site::Configure(const std::string& pools) const {
  const std::string store =
      kind_ == StoreKind::kPostgres ? "postgres:" + database_ : "sqlite:runs.db";
  std::ofstream(File("srv/server.yml"))
      << fmt::format("store: \"{}\"\nlisten: 127.0.0.1:0\npools:\n  {}\n", store, pools);
}

tests::support::Launch Site::Launch(std::vector<std::string> arguments,
                                    const std::string& name) const {
  return {.arguments = std::move(arguments),
          .env = {"PATH=/usr/bin:/bin", "HOME=" + folder_.path().string(),
                  "DAYFLY_SERVER=unix:" + File("srv/api.sock")},
          .folder = folder_.path().string(),
          .errors = File(name + ".errors"),
          .output = {},
          .close_streams = false};
}

api::client::Connection Site::Connect() const {
  api::client::Target target;
  target.servers = {"unix:" + File("srv/api.sock")};
  target.patience = std::chrono::minutes(1);  // a thousand may connect at once
  return api::client::Connection(std::move(target));
}

std::string Site::Token() const {
  auto connection = Connect();
  auto token = api::client::WorkerClient(connection).MakeJoinToken("default");
  CHECK_MSG(token.ok(), token.status().ToString().c_str());
  return *std::move(token);
}

std::vector<agents::session::AgentIdentity> Site::Enrol(std::size_t count) const {
  auto connection = Connect();
  api::client::WorkerClient client(connection);
  std::vector<agents::session::AgentIdentity> identities;
  while (identities.size() < count) {
    const auto token = client.MakeJoinToken("default");
    CHECK_MSG(token.ok(), token.status().ToString().c_str());
    agents::session::Enrolling enrolling;
    enrolling.servers = {address_};
    enrolling.join_token = *token;
    enrolling.host = "bench";
    enrolling.now = engine::base::Instant(std::chrono::duration_cast<engine::base::Duration>(
        std::chrono::system_clock::now().time_since_epoch()));
    auto identity = agents::session::Enrol(enrolling);
    CHECK_MSG(identity.ok(), identity.status().ToString().c_str());
    identities.push_back(*std::move(identity));
  }
  return identities;
}

std::unique_ptr<store::postgres::Connection> Site::Database() const {
  if (kind_ != StoreKind::kPostgres) {
    return nullptr;
  }
  auto side = store::postgres::Connection::Open({.conninfo = database_});
  CHECK_MSG(side.ok(), side.status().ToString().c_str());
  return *std::move(side);
}

DatabaseCounters Site::Counters() const {
  const auto side = Database();
  if (side == nullptr) {
    return {};
  }
  const auto row =
      side->Run({"counters",
                 "SELECT (SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements),"
                 " (SELECT (tup_inserted + tup_updated + tup_deleted)::bigint FROM pg_stat_database"
                 "  WHERE datname = current_database()),"
                 " (SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint)"});
  CHECK_MSG(row.ok(), row.status().ToString().c_str());
  return {.statements = row->Uint(0, 0), .rows = row->Uint(0, 1), .wal_bytes = row->Uint(0, 2)};
}

}  // namespace bench::server
