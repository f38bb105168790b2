// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_run_retention.h"

#include "store/postgres/postgres_run_history.h"
#include "store/postgres/postgres_run_store.h"
#include "store/postgres/test_database.h"
#include "tests/support/run_retention_conformance.h"

namespace tests::support {
namespace {

using store::postgres::testing::TestDatabase;

class PostgresRetentionScene : public RetentionScene {
 public:
  std::unique_ptr<ports::RunStore> OpenStore() override {
    return *store::postgres::OpenPostgresRunStore({.conninfo = database_.conninfo()});
  }
  std::unique_ptr<ports::RunHistory> OpenHistory() override {
    return *store::postgres::OpenPostgresRunHistory({.conninfo = database_.conninfo()});
  }
  std::unique_ptr<ports::RunRetention> OpenRetention() override {
    return store::postgres::MakePostgresRunRetention({.conninfo = database_.conninfo()});
  }
  TestDatabase& database() { return database_; }

 private:
  TestDatabase database_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, RunRetentionConformance, testing::Values([] {
                           return std::make_unique<PostgresRetentionScene>();
                         }));

class PostgresRunRetentionTest : public RunRetentionConformance {
 protected:
  void SetUp() override {
    auto scene = std::make_unique<PostgresRetentionScene>();
    place_ = scene.get();
    Open(std::move(scene));
    retention_ = place_->OpenRetention();
  }
  TestDatabase& database() { return place_->database(); }
  PostgresRetentionScene* place_ = nullptr;
};

TEST_F(PostgresRunRetentionTest, ADayIsItsPartitions) {
  Whole(kDay);
  TakeSnapshots();
  constexpr const char* kPartitions =
      "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%\\_20241004'"
      " ORDER BY relname";
  EXPECT_THAT(database().Texts(kPartitions),
              testing::ElementsAre("job_history_20241004", "log_20241004", "run_history_20241004"));
  Drop(kDay + 1);
  EXPECT_TRUE(database().Texts(kPartitions).empty());
}

// Whoever reads holds the tables; commits that queue up behind us would wait for him, too.
TEST_F(PostgresRunRetentionTest, ADayThatSomebodyReadsStaysForNow) {
  const model::RunId run = Whole(kDay);
  TakeSnapshots();
  database().Sql("BEGIN; LOCK TABLE dayfly.log IN ACCESS SHARE MODE");
  EXPECT_THAT(Drop(kDay + 1).kept, testing::ElementsAre(kDay));
  EXPECT_TRUE(IsKnown(run));
  database().Sql("COMMIT");
  EXPECT_EQ(Drop(kDay + 1).dropped, 1U);
}

TEST_F(PostgresRunRetentionTest, AConnectionThatBrokeIsReplaced) {
  Whole(kDay);
  TakeSnapshots();
  Drop(kDay);
  database().Sql(
      "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
      " WHERE datname = current_database() AND pid <> pg_backend_pid()");
  EXPECT_EQ(retention_->DropDays(kDay + 1, {}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(retention_->DropDays(kDay + 1, {})->dropped, 1U);
}

}  // namespace
}  // namespace tests::support
