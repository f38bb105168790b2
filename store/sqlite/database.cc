// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/database.h"

#include <cerrno>
#include <utility>

namespace store::sqlite {
namespace {

using base::Status;
using base::StatusOr;

absl::StatusCode CodeOf(sqlite3* db, int code) {
  // A full disk also shows as an I/O error where SQLite maps files or truncates them.
  if ((code & 0xff) == SQLITE_IOERR && db != nullptr && sqlite3_system_errno(db) == ENOSPC) {
    return absl::StatusCode::kResourceExhausted;
  }
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::StatusCode::kPermissionDenied;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_PROTOCOL:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

// SQLite says of every file that it "cannot open": why stands in errno.
Status CannotOpen(sqlite3* db, const std::string& path) {
  const int error = db == nullptr ? 0 : sqlite3_system_errno(db);
  return base::FromErrno(error == 0 ? ENOENT : error, fmt::format("{}: cannot open", path));
}

}  // namespace

Status FromSqlite(sqlite3* db, int code, const std::string& path, std::string_view what) {
  if ((code & 0xff) == SQLITE_CANTOPEN) {
    return CannotOpen(db, path);
  }
  const char* message = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  const absl::StatusCode status = CodeOf(db, code);
  // What we asked matters where we may have asked wrongly; to others the file says enough.
  const std::string asked =
      status == absl::StatusCode::kInternal ? fmt::format(" ({})", what) : std::string();
  return base::MakeStatus(status, fmt::format("{}: {}{}", path, message, asked));
}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(db_, other.db_);
  std::swap(stmt_, other.stmt_);
  std::swap(path_, other.path_);
  return *this;
}

Statement& Statement::Bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(stmt_, parameter, value);
  return *this;
}

Statement& Statement::BindBlob(int parameter, std::string_view bytes) {
  // A null pointer would be NULL, not an empty blob.
  sqlite3_bind_blob64(stmt_, parameter, bytes.empty() ? "" : bytes.data(), bytes.size(),
                      SQLITE_STATIC);
  return *this;
}

Statement& Statement::BindText(int parameter, std::string_view text) {
  sqlite3_bind_text64(stmt_, parameter, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                      SQLITE_UTF8);
  return *this;
}

StatusOr<bool> Statement::Step() {
  const int code = sqlite3_step(stmt_);
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    return false;
  }
  Status status = FromSqlite(db_, sqlite3_extended_errcode(db_), *path_, sqlite3_sql(stmt_));
  sqlite3_reset(stmt_);
  return status;
}

Status Statement::Run() {
  const StatusOr<bool> row = Step();
  Reset();
  return row.status();
}

std::string_view Statement::Bytes(int column) const {
  const void* bytes = sqlite3_column_blob(stmt_, column);
  const int size = sqlite3_column_bytes(stmt_, column);
  return {static_cast<const char*>(bytes), bytes == nullptr ? 0 : static_cast<std::size_t>(size)};
}

StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                   const DatabaseOptions& options) {
  std::unique_ptr<Database> db(new Database(path));
  db->tally_ = std::make_unique<FileTally>(path, options.grow_log);
  const int flags =
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
      (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  const int code = sqlite3_open_v2(path.c_str(), &db->db_, flags, TallyingVfs());
  if (code != SQLITE_OK) {
    return FromSqlite(db->db_, code, path, "open");
  }
  db->busy_timeout_ms_ = options.busy_timeout_ms;
  sqlite3_busy_timeout(db->db_, options.busy_timeout_ms);
  // The log is kept when the last connection closes: a checkpoint there costs 11 to 16 ms, and the
  // next one to open reads it anyway.
  sqlite3_db_config(db->db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return db;
}

Database::~Database() {
  sqlite3_close_v2(db_);
}

Status Database::Execute(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? base::OkStatus() : FromSqlite(db_, code, path_, sql);
}

StatusOr<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* stmt = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &stmt, nullptr);
  if (code != SQLITE_OK) {
    return FromSqlite(db_, code, path_, sql);
  }
  return Statement(db_, stmt, &path_);
}

StatusOr<std::int64_t> Database::Number(const char* sql) {
  ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

Status Database::UseWal() {
  // SQLite does not wait by itself here: two who create the same file at once meet.
  constexpr int kPauseMs = 5;
  for (int waited = 0;; waited += kPauseMs) {
    Status status = Execute("PRAGMA journal_mode=WAL");
    if (status.code() != absl::StatusCode::kUnavailable || waited >= busy_timeout_ms_) {
      return status;
    }
    sqlite3_sleep(kPauseMs);
  }
}

Status Database::Flush() {
  sqlite3_file* file = nullptr;
  int code = sqlite3_file_control(db_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (code == SQLITE_OK && file->pMethods != nullptr) {
    code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
  }
  return code == SQLITE_OK ? base::OkStatus() : FromSqlite(db_, code, path_, "flush");
}

Transaction::~Transaction() {
  if (db_.in_transaction()) {
    // What failed is reported already; SQLite rolls back by itself when even this fails.
    db_.Execute("ROLLBACK").IgnoreError();
  }
}

Status Transaction::Begin(const char* mode) {
  return db_.Execute(fmt::format("BEGIN {}", mode).c_str());
}

Status Transaction::Commit() {
  return db_.Execute("COMMIT");
}

namespace {

// Nothing yet: 0. Ours and readable: its version.
StatusOr<std::int64_t> SchemaVersion(Database& db, int version, std::string_view what) {
  ASSIGN_OR_RETURN(const std::int64_t found, db.Number("PRAGMA user_version"));
  ASSIGN_OR_RETURN(const std::int64_t id, db.Number("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const std::int64_t tables, db.Number("SELECT count(*) FROM sqlite_master"));
  if (found == 0 && id == 0 && tables == 0) {
    return std::int64_t{0};
  }
  if (id != kApplicationId) {
    return base::FailedPrecondition("{}: this is no {} of Dayfly's; move it away", db.path(), what);
  }
  if (found > version) {
    return base::FailedPrecondition(
        "{}: this {} was written by a newer dayfly (version {}, this build reads up to {}): use "
        "that dayfly, or set DAYFLY_HOME to another folder",
        db.path(), what, found, version);
  }
  return found;
}

// All of it at one moment: while it is looked at, another process may be making the tables.
StatusOr<std::int64_t> SchemaVersionNow(Database& db, int version, std::string_view what) {
  Transaction moment(db);
  RETURN_IF_ERROR(moment.Begin("DEFERRED"));
  return SchemaVersion(db, version, what);
}

}  // namespace

Status PrepareSchema(Database& db, bool read_only, int version, const char* schema,
                     std::string_view what) {
  ASSIGN_OR_RETURN(std::int64_t found, SchemaVersionNow(db, version, what));
  if (found != 0) {
    return base::OkStatus();
  }
  if (read_only) {
    return base::NotFound("{}: this {} is empty", db.path(), what);
  }
  // One flush instead of five: the file with its head here, its log with the owner's first commit,
  // before which nothing is promised.
  RETURN_IF_ERROR(db.Execute("PRAGMA synchronous=OFF"));
  RETURN_IF_ERROR(db.UseWal());
  RETURN_IF_ERROR(db.Flush());
  Transaction transaction(db);
  RETURN_IF_ERROR(transaction.Begin("IMMEDIATE"));
  // Another process may have been faster.
  ASSIGN_OR_RETURN(found, SchemaVersion(db, version, what));
  if (found != 0) {
    return base::OkStatus();
  }
  RETURN_IF_ERROR(db.Execute(schema));
  RETURN_IF_ERROR(db.Execute(fmt::format("PRAGMA application_id = {}", kApplicationId).c_str()));
  RETURN_IF_ERROR(db.Execute(fmt::format("PRAGMA user_version = {}", version).c_str()));
  return transaction.Commit();
}

}  // namespace store::sqlite
