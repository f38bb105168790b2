// SPDX-License-Identifier: Apache-2.0
// Rebuilds history from the log.
#include <memory>
#include <string>
#include <utility>

#include "store/postgres/connection.h"
#include "store/postgres/history_insert.h"
#include "store/postgres/log_reader.h"
#include "store/postgres/migrate.h"
#include "store/postgres/postgres_run_store.h"

namespace store::postgres {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

// Whoever commits changes this row, and waits.
constexpr Statement kHold = {"hold_shard",
                             "SELECT id FROM dayfly.shard WHERE id = $1::bigint FOR NO KEY UPDATE"};
constexpr Statement kForget = {
    "forget_history",
    "WITH r AS (DELETE FROM dayfly.run_history WHERE shard = $1::bigint),"
    " j AS (DELETE FROM dayfly.job_history WHERE shard = $1::bigint),"
    " d AS (DELETE FROM dayfly.deployment WHERE shard = $1::bigint)"
    " DELETE FROM dayfly.idempotency_key WHERE shard = $1::bigint"};
// Rows whose history is inserted by one statement, about.
constexpr int kRowsAtOnce = 1000;

Statement InsertStatement() {
  static const std::string sql =
      std::string("WITH gate AS (SELECT 1), ") + kInsertHistory + " SELECT 1";
  return {"insert_history", sql.c_str()};
}

Status Insert(Connection& connection, model::ShardId shard, const HistoryInsert& history) {
  if (history.empty()) {
    return base::OkStatus();
  }
  Parameters parameters;
  parameters.Int64(shard.value());
  history.AppendTo(parameters);
  return connection.Run(InsertStatement(), parameters).status();
}

Status Rebuild(Connection& connection, model::ShardId shard) {
  HistoryInsert history;
  int rows = 0;
  const VisitNumberedRow gather = [&](const ports::FactRow& row,
                                      std::uint64_t seq) -> StatusOr<bool> {
    history.Add(row, seq);
    if (++rows % kRowsAtOnce == 0) {
      RETURN_IF_ERROR(Insert(connection, shard, std::exchange(history, {})));
    }
    return true;
  };
  RETURN_IF_ERROR(ReadLog(connection, shard, 0, gather));
  return Insert(connection, shard, history);
}

}  // namespace

Status ReprojectHistory(const RunStoreOptions& options) {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<Connection> connection,
      OpenMigrated({.conninfo = options.conninfo, .network_timeout = options.network_timeout}));
  const Parameters shard = Parameters().Int64(options.shard.value());
  Transaction transaction(*connection);
  RETURN_IF_ERROR(transaction.Begin());
  RETURN_IF_ERROR(connection->Run(kHold, shard).status());
  RETURN_IF_ERROR(connection->Run(kForget, shard).status());
  RETURN_IF_ERROR(Rebuild(*connection, options.shard));
  return transaction.Commit();
}

}  // namespace store::postgres
