// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/connection.h"

#include <charconv>
#include <exception>
#include <utility>

#include <pqxx/binarystring>
#include <pqxx/connection>
#include <pqxx/errorhandler>
#include <pqxx/except>
#include <pqxx/nontransaction>
#include <pqxx/prepared_statement>
#include <pqxx/result>

#include "store/postgres/connect_string.h"
#include "store/postgres/sql_state.h"

namespace store::postgres {

using base::Status;
using base::StatusOr;

struct Rows::Result {
  pqxx::result rows;
};

struct Connection::State {
  State(const ConnectString& where) : name(where.name), connection(where.text), quiet(connection) {}

  std::string name;
  pqxx::connection connection;
  pqxx::quiet_errorhandler quiet;  ///< notices are no errors, and nobody reads standard error
  std::string sql_state;
  std::uint64_t statements = 0;
};

namespace {

using FieldSize = pqxx::result::size_type;

pqxx::field FieldAt(const pqxx::result& rows, std::size_t row, int column) {
  return rows[static_cast<FieldSize>(row)][static_cast<pqxx::row::size_type>(column)];
}

int NibbleOf(char c) {
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

// What holds for every session, set in the round trip that opens it.
//   bytea_output: `Rows::Bytes` reads hexadecimal.
//   plan_cache_mode: a commit's plan does not depend on its values.
//   synchronous_commit: whatever the database's default is, `off` would break what we promise.
//   idle_in_transaction…: a server that hangs must not hold a lock for ever.
constexpr const char* kSessionSettings =
    "SET bytea_output = 'hex';"
    "SET plan_cache_mode = 'force_generic_plan';"
    "SET jit = off;"
    "SET idle_in_transaction_session_timeout = '60s';"
    "SET client_min_messages = 'warning';"
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') = 'off'";

constexpr Statement kSetStatementTimeout = {
    "set_statement_timeout", "SELECT set_config('statement_timeout', $1::bigint::text, false)"};

}  // namespace

Rows::Rows() : result_(std::make_shared<Result>()) {}
Rows::Rows(std::shared_ptr<const Result> result) : result_(std::move(result)) {}

std::size_t Rows::size() const {
  return static_cast<std::size_t>(result_->rows.size());
}

bool Rows::IsNull(std::size_t row, int column) const {
  return FieldAt(result_->rows, row, column).is_null();
}

std::string_view Rows::Text(std::size_t row, int column) const {
  const pqxx::field field = FieldAt(result_->rows, row, column);
  return {field.c_str(), field.size()};
}

std::int64_t Rows::Int(std::size_t row, int column) const {
  const std::string_view text = Text(row, column);
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// `\x` and two digits a byte.
std::string Rows::Bytes(std::size_t row, int column) const {
  std::string_view text = Text(row, column);
  text.remove_prefix(std::min<std::size_t>(2, text.size()));
  std::string out(text.size() / 2, '\0');
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<char>(NibbleOf(text[2 * i]) << 4 | NibbleOf(text[2 * i + 1]));
  }
  return out;
}

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() = default;

StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  ASSIGN_OR_RETURN(const ConnectString where,
                   ReadConnectString(options.conninfo, options.network_timeout));
  std::unique_ptr<Connection> connection;
  try {
    connection.reset(new Connection(std::make_unique<State>(where)));
  } catch (const std::exception& error) {
    return base::Unavailable("{}: cannot connect: {}", where.name, error.what());
  }
  RETURN_IF_ERROR(connection->Execute(kSessionSettings));
  if (options.statement_timeout > base::Duration(0)) {
    const std::int64_t millis =
        std::chrono::ceil<std::chrono::milliseconds>(options.statement_timeout).count();
    RETURN_IF_ERROR(connection->Run(kSetStatementTimeout, Parameters().Int64(millis)).status());
  }
  return connection;
}

// Called while an exception of libpqxx is being handled; none leaves this folder.
Status Connection::Translate(std::string_view what) {
  absl::StatusCode code = absl::StatusCode::kInternal;
  std::string text;
  state_->sql_state.clear();
  try {
    throw;
  } catch (const pqxx::broken_connection& error) {
    code = absl::StatusCode::kUnavailable;
    text = error.what();
  } catch (const pqxx::transaction_rollback& error) {
    // Deadlock, serialization: nothing was changed, and trying again may help.
    code = absl::StatusCode::kUnavailable;
    text = error.what();
  } catch (const pqxx::sql_error& error) {
    state_->sql_state = error.sqlstate();
    code = CodeOfSqlState(error.sqlstate());
    text = error.what();
  } catch (const std::bad_alloc&) {
    code = absl::StatusCode::kResourceExhausted;
    text = "out of memory";
  } catch (const std::exception& error) {
    text = error.what();
  }
  if (broken()) {
    code = absl::StatusCode::kUnavailable;
  }
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return base::MakeStatus(code, fmt::format("{}: {}: {}", state_->name, what, text));
}

StatusOr<Rows> Connection::Run(const Statement& statement, const Parameters& parameters) {
  ++state_->statements;
  try {
    std::vector<pqxx::binarystring> values;
    values.reserve(parameters.values().size());
    for (const std::string& value : parameters.values()) {
      values.emplace_back(value.data(), value.size());
    }
    state_->connection.prepare(statement.name, statement.sql);
    pqxx::nontransaction work(state_->connection);
    auto result = std::make_shared<Rows::Result>();
    result->rows = work.exec_prepared(statement.name, pqxx::prepare::make_dynamic_params(values));
    return Rows(std::move(result));
  } catch (...) {
    return Translate(statement.name);
  }
}

Status Connection::Execute(const char* sql) {
  ++state_->statements;
  try {
    pqxx::nontransaction work(state_->connection);
    work.exec(sql);
    return base::OkStatus();
  } catch (...) {
    return Translate("execute");
  }
}

bool Connection::broken() const {
  return !state_->connection.is_open();
}

const std::string& Connection::sql_state() const {
  return state_->sql_state;
}

const std::string& Connection::name() const {
  return state_->name;
}

std::uint64_t Connection::statements() const {
  return state_->statements;
}

int Connection::descriptor() const {
  return state_->connection.sock();
}

StatusOr<bool> Connection::TakeNotifications() {
  try {
    return state_->connection.get_notifs() > 0;
  } catch (...) {
    return Translate("notifications");
  }
}

Transaction::~Transaction() {
  if (open_ && !connection_.broken()) {
    connection_.Execute("ROLLBACK").IgnoreError();
  }
}

Status Transaction::Begin() {
  RETURN_IF_ERROR(connection_.Execute("BEGIN"));
  open_ = true;
  return base::OkStatus();
}

Status Transaction::BeginSnapshot() {
  RETURN_IF_ERROR(connection_.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  open_ = true;
  return base::OkStatus();
}

Status Transaction::Commit() {
  open_ = false;
  return connection_.Execute("COMMIT");
}

}  // namespace store::postgres
