// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_worker_registry.h"

#include <mutex>
#include <utility>

#include "store/postgres/connection.h"
#include "store/postgres/migrate.h"
#include "store/postgres/sql_state.h"

namespace store::postgres {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

constexpr Statement kAddGrant = {"add_grant",
                                 "INSERT INTO dayfly.join_grant (token, launch, pool, expires_at)"
                                 " VALUES ($1::bytea, $2::bytea, $3::bytea, $4::bigint)"
                                 " ON CONFLICT DO NOTHING RETURNING 1"};

// One statement: the token is used up and the worker made, or neither. A number that is taken fails
// all of it. What has expired is cleared away by the way, but for what others are at.
constexpr Statement kRedeem = {
    "redeem",
    "WITH stale AS (SELECT token FROM dayfly.join_grant WHERE expires_at <= $2::bigint"
    "  FOR UPDATE SKIP LOCKED),"
    " cleared AS (DELETE FROM dayfly.join_grant g USING stale WHERE g.token = stale.token),"
    " taken AS (DELETE FROM dayfly.join_grant WHERE token = $1::bytea AND expires_at > $2::bigint"
    "  RETURNING launch, pool)"
    " INSERT INTO dayfly.worker (worker, launch, pool, host, joined_at)"
    " SELECT $3::bigint, launch, pool, $4::bytea, $2::bigint FROM taken"
    " RETURNING worker, launch, pool, host, joined_at, retired"};

constexpr Statement kRetire = {
    "retire_worker",
    "UPDATE dayfly.worker SET retired = true WHERE worker = $1::bigint RETURNING 1"};

#define DAYFLY_WORKER "SELECT worker, launch, pool, host, joined_at, retired FROM dayfly.worker"
constexpr Statement kFind = {"find_worker", DAYFLY_WORKER " WHERE worker = $1::bigint"};
constexpr Statement kWorkers = {"workers", DAYFLY_WORKER " WHERE NOT retired ORDER BY worker"};
#undef DAYFLY_WORKER

std::string_view BytesOf(const base::Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

ports::RegisteredWorker WorkerAt(const Rows& rows, std::size_t at) {
  return {.worker = model::WorkerId(rows.Uint(at, 0)),
          .launch = rows.Bytes(at, 1),
          .pool = rows.Bytes(at, 2),
          .host = rows.Bytes(at, 3),
          .joined_at = base::InstantFromMicros(rows.Int(at, 4)),
          .retired = rows.Bool(at, 5)};
}

class PostgresWorkerRegistry final : public ports::WorkerRegistry {
 public:
  explicit PostgresWorkerRegistry(const WorkerRegistryOptions& options) : options_(options) {}

  Status AddGrant(const ports::JoinGrant& grant) override {
    const std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(const Rows added,
                     Ask(kAddGrant, Parameters()
                                        .Bytes(BytesOf(grant.token))
                                        .Bytes(grant.launch)
                                        .Bytes(grant.pool)
                                        .Int64(base::ToMicros(grant.expires_at))));
    return added.empty() ? base::AlreadyExists("the token is known") : base::OkStatus();
  }

  StatusOr<ports::RegisteredWorker> Redeem(const base::Digest& token, base::Instant now,
                                           model::WorkerId worker,
                                           const std::string& host) override {
    const std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(const Redeemed first, TryRedeem(token, now, worker, host));
    if (!first.unknown) {
      return first.outcome;
    }
    // The connection broke. If the first try did it all the same, the token is gone and the worker
    // is there; a token must not be lost to that.
    ASSIGN_OR_RETURN(const Redeemed second, TryRedeem(token, now, worker, host));
    if (second.outcome.status().code() == absl::StatusCode::kNotFound) {
      const StatusOr<ports::RegisteredWorker> made = FindLocked(worker);
      if (made.ok() && made->joined_at == now && made->host == host) {
        return made;
      }
    }
    return second.outcome;
  }

  Status Retire(model::WorkerId worker) override {
    const std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(const Rows retired, Ask(kRetire, Parameters().Int64(worker.value())));
    return retired.empty() ? base::NotFound("no worker {}", worker.value()) : base::OkStatus();
  }

  StatusOr<ports::RegisteredWorker> Find(model::WorkerId worker) override {
    const std::lock_guard lock(mutex_);
    return FindLocked(worker);
  }

  StatusOr<std::vector<ports::RegisteredWorker>> Workers() override {
    const std::lock_guard lock(mutex_);
    ASSIGN_OR_RETURN(const Rows rows, Ask(kWorkers, {}));
    std::vector<ports::RegisteredWorker> all;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      all.push_back(WorkerAt(rows, i));
    }
    return all;
  }

  StatusOr<Connection*> Connect() {
    if (connection_ == nullptr || connection_->broken()) {
      connection_.reset();
      ASSIGN_OR_RETURN(connection_, OpenMigrated({.conninfo = options_.conninfo,
                                                  .statement_timeout = options_.patience,
                                                  .network_timeout = options_.patience}));
    }
    return connection_.get();
  }

 private:
  struct Redeemed {
    StatusOr<ports::RegisteredWorker> outcome;
    bool unknown = false;  ///< nobody knows whether it was done
  };

  // With `mutex_` held, as all below.
  StatusOr<Rows> Ask(const Statement& statement, const Parameters& parameters) {
    ASSIGN_OR_RETURN(Connection * connection, Connect());
    StatusOr<Rows> rows = connection->Run(statement, parameters);
    if (!rows.ok() && connection->broken()) {
      // Often it broke long ago, and only now is it noticed. These may be repeated.
      ASSIGN_OR_RETURN(connection, Connect());
      rows = connection->Run(statement, parameters);
    }
    return rows;
  }

  StatusOr<Redeemed> TryRedeem(const base::Digest& token, base::Instant now, model::WorkerId worker,
                               const std::string& host) {
    ASSIGN_OR_RETURN(Connection * connection, Connect());
    const StatusOr<Rows> rows = connection->Run(kRedeem, Parameters()
                                                             .Bytes(BytesOf(token))
                                                             .Int64(base::ToMicros(now))
                                                             .Int64(worker.value())
                                                             .Bytes(host));
    if (!rows.ok()) {
      const bool unknown = connection->broken();
      return Redeemed{!unknown && connection->sql_state() == kUniqueViolation
                          ? base::AlreadyExists("worker {} exists", worker.value())
                          : rows.status(),
                      unknown};
    }
    if (rows->empty()) {
      return Redeemed{base::NotFound("no such token")};
    }
    return Redeemed{WorkerAt(*rows, 0)};
  }

  StatusOr<ports::RegisteredWorker> FindLocked(model::WorkerId worker) {
    ASSIGN_OR_RETURN(const Rows rows, Ask(kFind, Parameters().Int64(worker.value())));
    return rows.empty()
               ? StatusOr<ports::RegisteredWorker>(base::NotFound("no worker {}", worker.value()))
               : WorkerAt(rows, 0);
  }

  WorkerRegistryOptions options_;
  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

StatusOr<std::unique_ptr<ports::WorkerRegistry>> OpenPostgresWorkerRegistry(
    const WorkerRegistryOptions& options) {
  auto registry = std::make_unique<PostgresWorkerRegistry>(options);
  RETURN_IF_ERROR(registry->Connect().status());
  return std::unique_ptr<ports::WorkerRegistry>(std::move(registry));
}

}  // namespace store::postgres
