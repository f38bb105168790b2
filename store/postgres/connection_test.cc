// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/postgres/connect_string.h"
#include "store/postgres/sql_state.h"
#include "store/postgres/test_database.h"

namespace store::postgres::testing {
namespace {

using namespace std::string_literals;
using base::Status;
using ::testing::HasSubstr;
using ::testing::Not;
using Code = absl::StatusCode;

TEST(SqlState, MeansWhatCallersOfAStoreKnow) {
  struct Case {
    const char* name;
    const char* state;
    Code code;
  };
  for (const Case& c : {Case{"disk full", "53100", Code::kResourceExhausted},
                        Case{"too many connections", "53300", Code::kUnavailable},
                        Case{"value too large", "54000", Code::kResourceExhausted},
                        Case{"deadlock", "40P01", Code::kUnavailable},
                        Case{"serialization", "40001", Code::kUnavailable},
                        Case{"statement timeout", "57014", Code::kUnavailable},
                        Case{"shutting down", "57P01", Code::kUnavailable},
                        Case{"still starting", "57P03", Code::kUnavailable},
                        Case{"database dropped", "57P04", Code::kFailedPrecondition},
                        Case{"standby", "25006", Code::kUnavailable},
                        Case{"lock timeout", "55P03", Code::kUnavailable},
                        Case{"may not", "42501", Code::kPermissionDenied},
                        Case{"no table", "42P01", Code::kFailedPrecondition},
                        Case{"damaged", "XX001", Code::kDataLoss},
                        Case{"defect of theirs", "XX000", Code::kInternal},
                        Case{"nothing said", "", Code::kInternal}}) {
    EXPECT_EQ(CodeOfSqlState(c.state), c.code) << c.name;
    EXPECT_NE(CodeOfSqlState(c.state), Code::kAborted) << "that is for another owner";
  }
}

TEST(ConnectString, AddsWhatIsNotSaidAndHidesThePassword) {
  for (const char* written : {"host=db1 user=me dbname=ci password=geheim connect_timeout=33",
                              "postgresql://me:geheim@db1/ci?connect_timeout=33"}) {
    const auto read = ReadConnectString(written, std::chrono::seconds(4));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->name, "postgres me@db1/ci");
    EXPECT_THAT(read->text, HasSubstr("password='geheim'"));
    EXPECT_THAT(read->text, HasSubstr("connect_timeout='33'"));
    EXPECT_THAT(read->text, HasSubstr("tcp_user_timeout='4000'"));
  }
}

TEST(ConnectString, WhatIsNoneIsRefusedWithoutRepeatingIt) {
  const auto read = ReadConnectString("geheim", std::chrono::seconds(4));
  EXPECT_EQ(read.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(std::string(base::Message(read.status())), Not(HasSubstr("geheim")));
}

class ConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto connection = Connection::Open({.conninfo = database_.conninfo()});
    ASSERT_TRUE(connection.ok()) << connection.status();
    connection_ = *std::move(connection);
  }
  TestDatabase database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ConnectionTest, ValuesComeBackAsTheyWent) {
  const std::string bytes = "a'\"\\\0\xff$1"s;
  const auto rows = connection_->Run(
      {"echo", "SELECT $1::bigint, $2::int, $3::bytea, $4::text, NULL::bytea"},
      Parameters().Int64(std::int64_t{-5'000'000'000}).Int32(-7).Bytes(bytes).Bytes("é'; --"));
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->Int(0, 0), -5'000'000'000);
  EXPECT_EQ(rows->Int(0, 1), -7);
  EXPECT_EQ(rows->Bytes(0, 2), bytes);
  EXPECT_EQ(rows->Text(0, 3), "é'; --");
  EXPECT_TRUE(rows->IsNull(0, 4));
  EXPECT_EQ(rows->Bytes(0, 4), "");
}

TEST_F(ConnectionTest, ColumnsComeBackAsRows) {
  Column numbers(ElementType::kInt64);
  Column texts(ElementType::kBytes);
  for (int i = 0; i < 300; ++i) {
    numbers.Int64(i);
    if (i % 3 == 0) {
      texts.Null();
    } else {
      texts.Bytes(std::string(static_cast<std::size_t>(i), '\0'));
    }
  }
  const auto rows = connection_->Run(
      {"unnest", "SELECT n, length(t) FROM unnest($1::bigint[], $2::bytea[]) AS u(n, t)"},
      Parameters().Array(numbers).Array(texts));
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 300U);
  EXPECT_EQ(rows->Int(299, 0), 299);
  EXPECT_EQ(rows->Int(299, 1), 299);
  EXPECT_TRUE(rows->IsNull(3, 1));
}

TEST_F(ConnectionTest, AnEmptyColumnGivesNoRows) {
  const auto rows = connection_->Run({"none", "SELECT unnest($1::bytea[])"},
                                     Parameters().Array(Column(ElementType::kBytes)));
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_TRUE(rows->empty());
}

TEST_F(ConnectionTest, AnErrorNamesTheDatabaseAndTheStatement) {
  const Status status = connection_->Run({"wrong", "SELECT * FROM nothing"}).status();
  EXPECT_EQ(status.code(), Code::kFailedPrecondition);
  EXPECT_EQ(connection_->sql_state(), "42P01");
  EXPECT_THAT(std::string(base::Message(status)), HasSubstr("postgres dayfly@"));
  EXPECT_THAT(std::string(base::Message(status)), HasSubstr("wrong"));
  EXPECT_FALSE(connection_->broken());
  EXPECT_TRUE(connection_->Execute("SELECT 1").ok());
}

TEST_F(ConnectionTest, AConnectionThatWasEndedIsUnavailableAndBroken) {
  database_.Sql(
      "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
      " WHERE datname = current_database() AND pid <> pg_backend_pid()");
  EXPECT_EQ(connection_->Execute("SELECT 1").code(), Code::kUnavailable);
  EXPECT_TRUE(connection_->broken());
  EXPECT_EQ(connection_->Execute("SELECT 1").code(), Code::kUnavailable) << "it stays broken";
}

TEST_F(ConnectionTest, ATransactionThatIsNotCommittedChangesNothing) {
  database_.Sql("CREATE TABLE t(x int)");
  {
    Transaction transaction(*connection_);
    ASSERT_TRUE(transaction.Begin().ok());
    ASSERT_TRUE(connection_->Execute("INSERT INTO t VALUES (1)").ok());
    EXPECT_FALSE(connection_->Execute("SELECT 1/0").ok());
  }
  EXPECT_EQ(database_.Number("SELECT count(*) FROM t"), 0);
  EXPECT_TRUE(connection_->Execute("INSERT INTO t VALUES (1)").ok());
}

TEST(Connecting, ToNobodyIsUnavailableAndNamesThePlace) {
  const auto connection = Connection::Open({.conninfo = "host=/nowhere user=me dbname=ci"});
  EXPECT_EQ(connection.status().code(), Code::kUnavailable);
  EXPECT_THAT(std::string(base::Message(connection.status())), HasSubstr("me@/nowhere/ci"));
}

}  // namespace
}  // namespace store::postgres::testing
