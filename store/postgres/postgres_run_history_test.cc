// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_run_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/postgres/postgres_run_store.h"
#include "store/postgres/test_database.h"
#include "tests/support/run_history_conformance.h"

namespace store::postgres::testing {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using tests::support::HistoryScene;

class PostgresHistoryScene : public HistoryScene {
 public:
  std::unique_ptr<ports::RunStore> OpenStore() override {
    return *OpenPostgresRunStore({.conninfo = database_.conninfo()});
  }
  std::unique_ptr<ports::RunHistory> OpenHistory() override {
    return *OpenPostgresRunHistory({.conninfo = database_.conninfo()});
  }
  TestDatabase& database() { return database_; }

 private:
  TestDatabase database_;
};

class PostgresRunHistoryTest : public tests::support::RunHistoryFixture {
 protected:
  void SetUp() override {
    auto scene = std::make_unique<PostgresHistoryScene>();
    database_ = &scene->database();
    Open(std::move(scene));
  }
  TestDatabase* database_ = nullptr;
};

TEST_F(PostgresRunHistoryTest, KnowsHowLongJobsTookLast) {
  const auto plan = Plan("ci");
  const model::RunId older = Accept({"01jd2m0q4x7zk"});
  EndJob(older, 0, milliseconds(10));
  EndJob(older, 1, milliseconds(11));
  const model::RunId newer = Accept({"01jd2m0q4x7zm"});
  EndJob(newer, 1, milliseconds(21));
  EndJob(newer, 0, milliseconds(99), model::Status::kFailed);
  const auto known = history_->KnownDurations({"ci", ".dayfly/ci.yml", "https://example.org/app"});
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_THAT(*known, UnorderedElementsAre(Pair(plan->specs[0].name, milliseconds(10)),
                                           Pair(plan->specs[1].name, milliseconds(21))));
  EXPECT_TRUE(history_->KnownDurations({"ci", "other.yml", ""})->empty());
}

TEST_F(PostgresRunHistoryTest, AConnectionThatBrokeIsReplaced) {
  Accept({"01jd2m0q4x7zk"});
  database_->Sql(
      "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
      " WHERE datname = current_database() AND pid <> pg_backend_pid()");
  EXPECT_EQ(history_->ListRuns({}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Listed({}), ElementsAre("01jd2m0q4x7zk"));
}

}  // namespace
}  // namespace store::postgres::testing

namespace tests::support {
INSTANTIATE_TEST_SUITE_P(
    Postgres, RunHistoryConformance, testing::Values([] {
      return std::make_unique<store::postgres::testing::PostgresHistoryScene>();
    }));
}  // namespace tests::support
