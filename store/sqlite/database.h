// SPDX-License-Identifier: Apache-2.0
// SQLite with our types: connections, prepared statements, transactions, and the one function that
// turns its result codes into statuses. Inside this folder only. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "engine/base/status.h"
#include "store/sqlite/file_tally.h"

namespace store::sqlite {

namespace base = engine::base;

/// A prepared statement; reset when it goes out of scope or `Reset` is called. Columns count from
/// 0, parameters from 1.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, sqlite3_stmt* stmt, const std::string* path)
      : db_(db), stmt_(stmt), path_(path) {}
  Statement(Statement&& other) noexcept { *this = std::move(other); }
  Statement& operator=(Statement&& other) noexcept;
  ~Statement() { sqlite3_finalize(stmt_); }

  Statement& Bind(int parameter, std::int64_t value);
  Statement& Bind(int parameter, std::uint64_t value) {
    return Bind(parameter, static_cast<std::int64_t>(value));
  }
  /// The bytes must stay until the statement was run.
  Statement& BindBlob(int parameter, std::string_view bytes);
  Statement& BindText(int parameter, std::string_view text);

  /// True: a row is there.
  base::StatusOr<bool> Step();
  /// Runs a statement that gives no rows, and resets it.
  base::Status Run();
  void Reset() { sqlite3_reset(stmt_); }

  std::int64_t Int(int column) const { return sqlite3_column_int64(stmt_, column); }
  std::uint64_t Uint(int column) const { return static_cast<std::uint64_t>(Int(column)); }
  bool IsNull(int column) const { return sqlite3_column_type(stmt_, column) == SQLITE_NULL; }
  /// Until the next `Step` or `Reset`.
  std::string_view Bytes(int column) const;
  std::string Text(int column) const { return std::string(Bytes(column)); }

 private:
  sqlite3* db_ = nullptr;
  sqlite3_stmt* stmt_ = nullptr;
  const std::string* path_ = nullptr;
};

struct DatabaseOptions {
  bool read_only = false;
  int busy_timeout_ms = 5000;
  bool grow_log = false;  ///< see `FileTally`
};

class Database {
 public:
  static base::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        const DatabaseOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  base::Status Execute(const char* sql);
  base::StatusOr<Statement> Prepare(std::string_view sql);
  /// The one number that `sql` gives.
  base::StatusOr<std::int64_t> Number(const char* sql);
  /// Switches to the write-ahead log; waits for others who do the same.
  base::Status UseWal();
  /// Flushes the database file itself.
  base::Status Flush();

  std::int64_t changes() const { return sqlite3_changes64(db_); }
  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }
  const std::string& path() const { return path_; }
  const FileTally& tally() const { return *tally_; }
  sqlite3* handle() { return db_; }

 private:
  explicit Database(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::unique_ptr<FileTally> tally_;
  sqlite3* db_ = nullptr;
  int busy_timeout_ms_ = 0;
};

/// Rolls back unless `Commit` succeeded.
class Transaction {
 public:
  explicit Transaction(Database& db) : db_(db) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  /// `mode`: DEFERRED to read, IMMEDIATE to write.
  base::Status Begin(const char* mode);
  base::Status Commit();

 private:
  Database& db_;
};

/// What `db`'s last error means, as a status that names `path` and `what`.
base::Status FromSqlite(sqlite3* db, int code, const std::string& path, std::string_view what);

/// What tells our files from others': `PRAGMA application_id`.
inline constexpr std::int64_t kApplicationId = 0x44617966;  // "Dayf"

/// Creates the tables of a new file with `schema`, or checks that an old one can be read:
/// `FailedPrecondition` when it is of a newer version or not ours. `what` names it for people.
/// Read-only: `NotFound` when nobody has created the tables yet.
base::Status PrepareSchema(Database& db, bool read_only, int version, const char* schema,
                           std::string_view what);

}  // namespace store::sqlite
