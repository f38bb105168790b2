// SPDX-License-Identifier: Apache-2.0
#include "apps/network/server_stores.h"

#include "store/sqlite/sqlite_run_history.h"
#include "store/sqlite/sqlite_run_store.h"

namespace apps::network {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

base::StatusOr<std::unique_ptr<ports::RunStore>> OpenRunStore(const ServerConfig& config,
                                                              std::optional<model::Epoch> leased) {
  (void)leased;
  if (config.store_file.empty()) {
    return base::FailedPrecondition("this build keeps runs in SQLite only: store: sqlite:FILE");
  }
  return store::sqlite::OpenSqliteRunStore(config.store_file);
}

base::StatusOr<std::unique_ptr<ports::RunStore>> OpenReadingStore(const ServerConfig& config) {
  store::sqlite::RunStoreOptions options;
  options.read_only = true;
  return store::sqlite::OpenSqliteRunStore(config.store_file, options);
}

base::StatusOr<std::unique_ptr<ports::RunHistory>> OpenRunHistory(const ServerConfig& config) {
  return store::sqlite::OpenSqliteRunHistory(config.store_file);
}

}  // namespace apps::network
