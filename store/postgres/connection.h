// SPDX-License-Identifier: Apache-2.0
// One connection to PostgreSQL with our types: prepared statements, transactions, and the one
// function that turns libpqxx's exceptions into statuses. Inside this folder only. One thread at a
// time. A connection that broke stays broken: its owner opens another one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "store/postgres/parameters.h"

namespace store::postgres {

namespace base = engine::base;

/// What a statement gave: rows and columns count from 0.
class Rows {
 public:
  Rows();
  struct Result;
  explicit Rows(std::shared_ptr<const Result> result);

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  bool IsNull(std::size_t row, int column) const;
  /// 0 for NULL.
  std::int64_t Int(std::size_t row, int column) const;
  std::uint64_t Uint(std::size_t row, int column) const {
    return static_cast<std::uint64_t>(Int(row, column));
  }
  bool Bool(std::size_t row, int column) const { return Text(row, column) == "t"; }
  /// Of a `bytea`; empty for NULL.
  std::string Bytes(std::size_t row, int column) const;
  /// As PostgreSQL prints it; lives as long as this.
  std::string_view Text(std::size_t row, int column) const;

 private:
  std::shared_ptr<const Result> result_;
};

/// A fixed text, prepared once a connection under `name`. Values only ever stand in `$1`, `$2`, ….
struct Statement {
  const char* name;
  const char* sql;
};

struct ConnectionOptions {
  /// As libpq takes it: `host=… dbname=…` or `postgresql://…`.
  std::string conninfo;
  /// How long one statement may take on the server; 0: as long as it likes.
  base::Duration statement_timeout{0};
  /// How long to wait for a connection, and for the network to carry what was sent. Whole seconds,
  /// at least two.
  base::Duration network_timeout = std::chrono::seconds(5);
};

class Connection {
 public:
  /// `Unavailable` when nobody answers (or says no: PostgreSQL tells only in words), and
  /// `InvalidArgument` when `conninfo` is none.
  static base::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// One statement, one round trip; a transaction of its own unless one is open. Not OK: it changed
  /// nothing, except when `broken()`: then nobody knows.
  base::StatusOr<Rows> Run(const Statement& statement, const Parameters& parameters = {});
  /// Statements without parameters, separated by semicolons, in one round trip.
  base::Status Execute(const char* sql);

  /// True once the connection is lost, which is noticed by using it.
  bool broken() const;
  /// The code of the last failure that PostgreSQL itself reported.
  const std::string& sql_state() const;
  /// Who is connected to what, without secrets: `postgres dayfly@db1`.
  const std::string& name() const;
  /// Counted since it was opened.
  std::uint64_t statements() const;

  /// Readable when a notification came, or when the connection broke.
  int descriptor() const;
  /// Takes in what came; true when there was a notification.
  base::StatusOr<bool> TakeNotifications();

 private:
  struct State;
  explicit Connection(std::unique_ptr<State> state);
  base::Status Translate(std::string_view what);

  std::unique_ptr<State> state_;
};

/// Several statements as one; rolls back unless `Commit` succeeded.
class Transaction {
 public:
  explicit Transaction(Connection& connection) : connection_(connection) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  base::Status Begin();
  /// Reads only, and sees one moment.
  base::Status BeginSnapshot();
  base::Status Commit();

 private:
  Connection& connection_;
  bool open_ = false;
};

}  // namespace store::postgres
