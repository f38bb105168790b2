// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/migrate.h"

#include "store/postgres/schema.h"

namespace store::postgres {
namespace {

using base::Status;
using base::StatusOr;

// In the catalogue itself: `to_regclass` may answer from what was known before we waited for a
// lock.
constexpr Statement kFindTable = {
    "find_migrations",
    "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    "               WHERE n.nspname = 'dayfly' AND c.relname = 'migration'),"
    " EXISTS (SELECT FROM pg_namespace WHERE nspname = 'dayfly')"};
constexpr Statement kVersion = {"schema_version",
                                "SELECT coalesce(max(version), 0) FROM dayfly.migration"};
// "Dayflymi" as a number; another one than that of `dayfly.ensure_days`.
constexpr Statement kLock = {"lock_migrations",
                             "SELECT pg_advisory_xact_lock(4926105847338233193)"};
constexpr Statement kNote = {"note_migration",
                             "INSERT INTO dayfly.migration (version, name) VALUES ($1, $2)"};
// A migration takes as long as its tables are large, and whoever waits for another's waits as long:
// the patience of a connection is for what comes after.
constexpr const char* kTakeYourTime = "SET LOCAL statement_timeout = 0";
constexpr const char* kCreateSchema = "CREATE SCHEMA dayfly";
constexpr const char* kCreateTable =
    "CREATE TABLE dayfly.migration ("
    " version int PRIMARY KEY,"
    " name text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT now())";

/// 0: none was ever applied.
StatusOr<int> VersionOf(Connection& connection) {
  ASSIGN_OR_RETURN(const Rows found, connection.Run(kFindTable));
  if (!found.Bool(0, 0)) {
    return 0;
  }
  ASSIGN_OR_RETURN(const Rows version, connection.Run(kVersion));
  return static_cast<int>(version.Int(0, 0));
}

Status CheckNotNewer(const Connection& connection, int version) {
  if (version <= kSchemaVersion) {
    return base::OkStatus();
  }
  return base::FailedPrecondition(
      "{}: the tables are of version {}, this build knows up to {}: install a newer dayfly",
      connection.name(), version, kSchemaVersion);
}

// An administrator may have made the schema, because we may not.
Status CreateWhatHoldsMigrations(Connection& connection) {
  ASSIGN_OR_RETURN(const Rows found, connection.Run(kFindTable));
  if (!found.Bool(0, 1)) {
    RETURN_IF_ERROR(connection.Execute(kCreateSchema));
  }
  return found.Bool(0, 0) ? base::OkStatus() : connection.Execute(kCreateTable);
}

Status Apply(Connection& connection, const Migration& migration) {
  const Status status = connection.Execute(migration.sql);
  if (!status.ok()) {
    return base::Annotate(status,
                          fmt::format("migration {} ({})", migration.version, migration.name));
  }
  return connection
      .Run(kNote, Parameters().Int32(migration.version).Bytes(std::string_view(migration.name)))
      .status();
}

}  // namespace

Status Migrate(Connection& connection) {
  ASSIGN_OR_RETURN(int version, VersionOf(connection));
  RETURN_IF_ERROR(CheckNotNewer(connection, version));
  if (version == kSchemaVersion) {
    return base::OkStatus();
  }
  Transaction transaction(connection);
  RETURN_IF_ERROR(transaction.Begin());
  RETURN_IF_ERROR(connection.Execute(kTakeYourTime));
  RETURN_IF_ERROR(connection.Run(kLock).status());
  // Whoever had the lock before us may have done it all.
  ASSIGN_OR_RETURN(version, VersionOf(connection));
  RETURN_IF_ERROR(CheckNotNewer(connection, version));
  RETURN_IF_ERROR(CreateWhatHoldsMigrations(connection));
  for (const Migration& migration : kMigrations) {
    if (migration.version > version) {
      RETURN_IF_ERROR(Apply(connection, migration));
    }
  }
  return transaction.Commit();
}

StatusOr<std::unique_ptr<Connection>> OpenMigrated(const ConnectionOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection, Connection::Open(options));
  RETURN_IF_ERROR(Migrate(*connection));
  return connection;
}

}  // namespace store::postgres
