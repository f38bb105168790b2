// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_worker_registry.h"

#include <mutex>
#include <utility>

#include "store/sqlite/database.h"

namespace store::sqlite {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

constexpr const char* kSchema = R"sql(
CREATE TABLE join_grant (
  token  BLOB PRIMARY KEY,     -- SHA-256 of its secret part
  launch BLOB NOT NULL,
  pool   BLOB NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE worker (
  worker INTEGER PRIMARY KEY,
  launch BLOB NOT NULL,
  pool   BLOB NOT NULL,
  host   BLOB NOT NULL,
  joined_at INTEGER NOT NULL,
  retired INTEGER NOT NULL
) STRICT;
)sql";

std::string_view BytesOf(const base::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

ports::RegisteredWorker WorkerAt(const Statement& row) {
  return {.worker = model::WorkerId(row.Uint(0)),
          .launch = row.Text(1),
          .pool = row.Text(2),
          .host = row.Text(3),
          .joined_at = base::InstantFromMicros(row.Int(4)),
          .retired = row.Int(5) != 0};
}

class SqliteWorkerRegistry final : public ports::WorkerRegistry {
 public:
  explicit SqliteWorkerRegistry(std::unique_ptr<Database> db) : db_(std::move(db)) {}

  Status AddGrant(const ports::JoinGrant& grant) override {
    const std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(Statement insert,
                     db_->Prepare("INSERT OR IGNORE INTO join_grant VALUES (?,?,?,?)"));
    insert.BindBlob(1, BytesOf(grant.token))
        .BindBlob(2, grant.launch)
        .BindBlob(3, grant.pool)
        .Bind(4, base::ToMicros(grant.expires_at));
    RETURN_IF_ERROR(insert.Run());
    return db_->changes() == 1 ? base::OkStatus() : base::AlreadyExists("the token is known");
  }

  StatusOr<ports::RegisteredWorker> Redeem(const base::Digest& token, base::Instant now,
                                           model::WorkerId worker,
                                           const std::string& host) override {
    const std::lock_guard lock(mutex_);
    Transaction transaction(*db_);
    RETURN_IF_ERROR(transaction.Begin("IMMEDIATE"));
    ASSIGN_OR_RETURN(ports::RegisteredWorker out, TakeGrant(token, now));
    out.worker = worker;
    out.host = host;
    out.joined_at = now;
    RETURN_IF_ERROR(Insert(out));
    RETURN_IF_ERROR(transaction.Commit());
    return out;
  }

  Status Retire(model::WorkerId worker) override {
    const std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(Statement update, db_->Prepare("UPDATE worker SET retired=1 WHERE worker=?"));
    RETURN_IF_ERROR(update.Bind(1, worker.value()).Run());
    return db_->changes() == 1 ? base::OkStatus() : base::NotFound("no worker {}", worker.value());
  }

  StatusOr<ports::RegisteredWorker> Find(model::WorkerId worker) override {
    const std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(Statement query, db_->Prepare("SELECT * FROM worker WHERE worker=?"));
    query.Bind(1, worker.value());
    ASSIGN_OR_RETURN(const bool found, query.Step());
    return found ? StatusOr<ports::RegisteredWorker>(WorkerAt(query))
                 : base::NotFound("no worker {}", worker.value());
  }

  StatusOr<std::vector<ports::RegisteredWorker>> Workers() override {
    const std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(Statement query,
                     db_->Prepare("SELECT * FROM worker WHERE retired=0 ORDER BY worker"));
    std::vector<ports::RegisteredWorker> all;
    ASSIGN_OR_RETURN(bool more, query.Step());
    while (more) {
      all.push_back(WorkerAt(query));
      ASSIGN_OR_RETURN(more, query.Step());
    }
    return all;
  }

 private:
  StatusOr<ports::RegisteredWorker> TakeGrant(const base::Digest& token, base::Instant now) {
    ASSIGN_OR_RETURN(Statement clear, db_->Prepare("DELETE FROM join_grant WHERE expires_at<=?"));
    RETURN_IF_ERROR(clear.Bind(1, base::ToMicros(now)).Run());
    ASSIGN_OR_RETURN(Statement take, db_->Prepare("DELETE FROM join_grant WHERE token=? "
                                                  "RETURNING launch, pool"));
    take.BindBlob(1, BytesOf(token));
    ASSIGN_OR_RETURN(const bool found, take.Step());
    if (!found) {
      return base::NotFound("no such token");
    }
    ports::RegisteredWorker out;
    out.launch = take.Text(0);
    out.pool = take.Text(1);
    // A statement that gives rows has done its work only when it is stepped to its end.
    RETURN_IF_ERROR(take.Step().status());
    return out;
  }

  Status Insert(const ports::RegisteredWorker& worker) {
    ASSIGN_OR_RETURN(Statement insert,
                     db_->Prepare("INSERT OR IGNORE INTO worker VALUES (?,?,?,?,?,0)"));
    insert.Bind(1, worker.worker.value())
        .BindBlob(2, worker.launch)
        .BindBlob(3, worker.pool)
        .BindBlob(4, worker.host)
        .Bind(5, base::ToMicros(worker.joined_at));
    RETURN_IF_ERROR(insert.Run());
    return db_->changes() == 1 ? base::OkStatus()
                               : base::AlreadyExists("worker {} exists", worker.worker.value());
  }

  std::mutex mutex_;
  std::unique_ptr<Database> db_;
};

}  // namespace

StatusOr<std::unique_ptr<ports::WorkerRegistry>> OpenSqliteWorkerRegistry(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db, Database::Open(path, {}));
  RETURN_IF_ERROR(PrepareSchema(*db, false, kWorkerRegistryVersion, kSchema, "registry"));
  RETURN_IF_ERROR(db->Execute("PRAGMA synchronous=FULL"));
  return std::make_unique<SqliteWorkerRegistry>(std::move(db));
}

}  // namespace store::sqlite
