// SPDX-License-Identifier: Apache-2.0
// A database of the test's own, with a side door for statements of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/base/check.h"
#include "store/postgres/connection.h"
#include "tests/support/postgres_cluster.h"

namespace store::postgres::testing {

class TestDatabase {
 public:
  const std::string& conninfo() const { return conninfo_; }

  void Sql(const char* sql) {
    const base::Status status = Door().Execute(sql);
    EXPECT_TRUE(status.ok()) << status;
  }
  /// The one number that `sql` gives.
  std::int64_t Number(const char* sql) { return Ask(sql).Int(0, 0); }
  /// The first column of each row.
  std::vector<std::string> Texts(const char* sql) {
    const Rows rows = Ask(sql);
    std::vector<std::string> out;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      out.emplace_back(rows.Text(i, 0));
    }
    return out;
  }

 private:
  Connection& Door() {
    if (door_ == nullptr || door_->broken()) {
      auto connection =
          Connection::Open({.conninfo = conninfo_, .network_timeout = std::chrono::minutes(1)});
      CHECK_MSG(connection.ok(), connection.status().ToString().c_str());
      door_ = *std::move(connection);
    }
    return *door_;
  }
  Rows Ask(const char* sql) {
    const std::string name = "asked_" + std::to_string(++asked_);
    auto rows = Door().Run({name.c_str(), sql});
    CHECK_MSG(rows.ok(), rows.status().ToString().c_str());
    return *std::move(rows);
  }

  std::string conninfo_ = tests::support::SharedCluster().NewDatabase();
  std::unique_ptr<Connection> door_;
  int asked_ = 0;
};

}  // namespace store::postgres::testing
