// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_run_retention.h"

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "store/codec/fact_codec.h"
#include "store/codec/history.h"
#include "store/sqlite/database.h"
#include "store/sqlite/deployment_book.h"
#include "store/sqlite/deployment_table.h"
#include "store/sqlite/run_store_schema.h"
#include "store/sqlite/sqlite_run_store.h"

namespace store::sqlite {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

/// Of one transaction; a commit waits no longer than this takes.
constexpr int kRowsAtOnce = 1000;

// Run ids sort by the moment of acceptance: those of a day are a range.
constexpr std::int64_t kRunsOfDay = (std::int64_t{86'400'000} << 20);

constexpr const char* kDays = "SELECT DISTINCT day FROM log WHERE day < ?1";
// Those whose log a recovery from the older snapshot would not read.
constexpr const char* kCoveredDays =
    "SELECT day FROM log WHERE day < ?1 GROUP BY day "
    "HAVING max(seq) <= coalesce((SELECT min(seq) FROM snapshot), 0)";
// An open run has no row of its end.
constexpr const char* kOpenRuns = "SELECT run FROM run_history GROUP BY run HAVING max(ended) = 0";
// The log's rows go last: as long as there is one, the day is tried again.
constexpr const char* kDeletes[] = {
    "DELETE FROM job_history WHERE rowid IN (SELECT rowid FROM job_history "
    "WHERE run BETWEEN ?1 AND ?2 LIMIT ?3)",
    "DELETE FROM run_history WHERE rowid IN (SELECT rowid FROM run_history "
    "WHERE run BETWEEN ?1 AND ?2 LIMIT ?3)",
};
constexpr const char* kDeleteLog =
    "DELETE FROM log WHERE seq IN (SELECT seq FROM log WHERE day = ?1 ORDER BY seq LIMIT ?2)";
// One statement, one transaction: no commit can name a plan in between.
constexpr const char* kDeletePlans =
    "DELETE FROM plan WHERE digest NOT IN (SELECT plan FROM run_history WHERE plan IS NOT NULL)";

class SqliteRunRetention final : public ports::RunRetention {
 public:
  SqliteRunRetention(std::unique_ptr<Database> db, std::unique_ptr<ports::RunStore> plans)
      : db_(std::move(db)), plans_(std::move(plans)) {}

  StatusOr<ports::DroppedDays> DropDays(std::int64_t before,
                                        std::span<const model::RunId> open) override {
    ports::DroppedDays out;
    ASSIGN_OR_RETURN(out.kept, Numbers(kDays, before));
    ASSIGN_OR_RETURN(std::set<std::int64_t> old, Numbers(kCoveredDays, before));
    ASSIGN_OR_RETURN(const std::set<std::int64_t> not_ended, Numbers(kOpenRuns, {}));
    for (const std::int64_t run : not_ended) {
      old.erase(run / kRunsOfDay);
    }
    for (const model::RunId run : open) {
      old.erase(codec::DayOf({.run = run, .facts = {}}));
    }
    for (const std::int64_t day : old) {
      RETURN_IF_ERROR(Drop(day));
      out.kept.erase(day);
      ++out.dropped;
    }
    if (out.dropped > 0) {
      RETURN_IF_ERROR(db_->Execute(kDeletePlans));
    }
    return out;
  }

 private:
  StatusOr<std::set<std::int64_t>> Numbers(const char* sql, std::optional<std::int64_t> parameter) {
    ASSIGN_OR_RETURN(Statement query, db_->Prepare(sql));
    if (parameter) {
      query.Bind(1, *parameter);
    }
    std::set<std::int64_t> numbers;
    ASSIGN_OR_RETURN(bool more, query.Step());
    while (more) {
      numbers.insert(query.Int(0));
      ASSIGN_OR_RETURN(more, query.Step());
    }
    return numbers;
  }

  /// Of the day's deployments those that are what their environments have now, as far as it and
  /// days that went before can tell.
  Status KeepDeployments(std::int64_t day) {
    ASSIGN_OR_RETURN(std::vector<model::Deployment> known, DeploymentsOf(day));
    std::erase_if(known, [](const model::Deployment& each) {
      return each.status != model::Status::kSucceeded;
    });
    if (known.empty()) {
      return base::OkStatus();
    }
    RETURN_IF_ERROR(MakeTable(*db_, kKeptDeployments));
    ASSIGN_OR_RETURN(Statement save, PrepareSaveIfNewer(*db_, kKeptDeployments));
    Transaction transaction(*db_);
    RETURN_IF_ERROR(transaction.Begin("IMMEDIATE"));
    for (const model::Deployment& each : known) {
      Bind(save, each);
      RETURN_IF_ERROR(save.Run());
    }
    return transaction.Commit();
  }

  StatusOr<std::vector<model::Deployment>> DeploymentsOf(std::int64_t day) {
    DeploymentBook book(*plans_);
    ASSIGN_OR_RETURN(Statement log,
                     db_->Prepare("SELECT bytes FROM log WHERE day = ? ORDER BY seq"));
    log.Bind(1, day);
    ASSIGN_OR_RETURN(bool more, log.Step());
    while (more) {
      ASSIGN_OR_RETURN(const std::vector<model::Fact> facts, codec::DecodeFacts(log.Bytes(0)));
      for (const model::Fact& fact : facts) {
        RETURN_IF_ERROR(book.Take(fact));
      }
      ASSIGN_OR_RETURN(more, log.Step());
    }
    return book.List();
  }

  Status Drop(std::int64_t day) {
    RETURN_IF_ERROR(KeepDeployments(day));
    for (const char* sql : kDeletes) {
      ASSIGN_OR_RETURN(Statement statement, db_->Prepare(sql));
      statement.Bind(1, day * kRunsOfDay)
          .Bind(2, (day + 1) * kRunsOfDay - 1)
          .Bind(3, std::int64_t{kRowsAtOnce});
      RETURN_IF_ERROR(RunUntilNothingIsLeft(statement));
    }
    ASSIGN_OR_RETURN(Statement log, db_->Prepare(kDeleteLog));
    log.Bind(1, day).Bind(2, std::int64_t{kRowsAtOnce});
    return RunUntilNothingIsLeft(log);
  }

  Status RunUntilNothingIsLeft(Statement& statement) {
    do {
      RETURN_IF_ERROR(statement.Run());
    } while (db_->changes() > 0);
    return base::OkStatus();
  }

  std::unique_ptr<Database> db_;
  std::unique_ptr<ports::RunStore> plans_;
};

}  // namespace

StatusOr<std::unique_ptr<ports::RunRetention>> OpenSqliteRunRetention(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db, Database::Open(path, {}));
  RETURN_IF_ERROR(PrepareSchema(*db, false, kRunStoreVersion, kRunStoreSchema, "run"));
  RunStoreOptions options;
  options.read_only = true;
  ASSIGN_OR_RETURN(std::unique_ptr<ports::RunStore> plans, OpenSqliteRunStore(path, options));
  return std::make_unique<SqliteRunRetention>(std::move(db), std::move(plans));
}

}  // namespace store::sqlite
