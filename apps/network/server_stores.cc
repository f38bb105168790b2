// SPDX-License-Identifier: Apache-2.0
#include "apps/network/server_stores.h"

#include "store/postgres/postgres_run_history.h"
#include "store/postgres/postgres_run_retention.h"
#include "store/postgres/postgres_run_store.h"
#include "store/postgres/postgres_shard_lease.h"
#include "store/postgres/postgres_worker_registry.h"
#include "store/sqlite/sqlite_run_history.h"
#include "store/sqlite/sqlite_run_retention.h"
#include "store/sqlite/sqlite_run_store.h"
#include "store/sqlite/sqlite_worker_registry.h"

namespace apps::network {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

base::StatusOr<std::unique_ptr<ports::RunStore>> OpenRunStore(const ServerConfig& config,
                                                              std::optional<model::Epoch> leased) {
  if (config.store_file.empty()) {
    store::postgres::RunStoreOptions options;
    options.conninfo = config.store_postgres;
    options.leased = leased;
    return store::postgres::OpenPostgresRunStore(options);
  }
  return store::sqlite::OpenSqliteRunStore(config.store_file);
}

base::StatusOr<std::unique_ptr<ports::RunStore>> OpenReadingStore(const ServerConfig& config) {
  if (config.store_file.empty()) {
    return OpenRunStore(config, std::nullopt);
  }
  store::sqlite::RunStoreOptions options;
  options.read_only = true;
  return store::sqlite::OpenSqliteRunStore(config.store_file, options);
}

base::StatusOr<std::unique_ptr<ports::RunHistory>> OpenRunHistory(const ServerConfig& config) {
  if (config.store_file.empty()) {
    store::postgres::RunHistoryOptions options;
    options.conninfo = config.store_postgres;
    return store::postgres::OpenPostgresRunHistory(options);
  }
  return store::sqlite::OpenSqliteRunHistory(config.store_file);
}

base::StatusOr<std::unique_ptr<ports::RunRetention>> OpenRunRetention(const ServerConfig& config) {
  if (config.store_file.empty()) {
    return store::postgres::MakePostgresRunRetention({.conninfo = config.store_postgres});
  }
  return store::sqlite::OpenSqliteRunRetention(config.store_file);
}

base::StatusOr<std::unique_ptr<ports::WorkerRegistry>> OpenWorkerRegistry(
    const ServerConfig& config) {
  if (config.store_file.empty()) {
    return store::postgres::OpenPostgresWorkerRegistry({.conninfo = config.store_postgres});
  }
  return store::sqlite::OpenSqliteWorkerRegistry(config.store_file + ".workers");
}

base::StatusOr<std::unique_ptr<ports::ShardLease>> OpenShardLease(const ServerConfig& config) {
  store::postgres::ShardLeaseOptions options;
  options.conninfo = config.store_postgres;
  return store::postgres::OpenPostgresShardLease(options);
}

}  // namespace apps::network
