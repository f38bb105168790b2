// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_run_retention.h"

#include "store/sqlite/sqlite_run_history.h"
#include "store/sqlite/sqlite_run_store.h"
#include "tests/support/run_retention_conformance.h"
#include "tests/support/temp_folder.h"

namespace tests::support {
namespace {

class SqliteRetentionScene : public RetentionScene {
 public:
  std::unique_ptr<ports::RunStore> OpenStore() override {
    return *store::sqlite::OpenSqliteRunStore(folder_.File("runs.db"));
  }
  std::unique_ptr<ports::RunHistory> OpenHistory() override {
    return *store::sqlite::OpenSqliteRunHistory(folder_.File("runs.db"));
  }
  std::unique_ptr<ports::RunRetention> OpenRetention() override {
    return *store::sqlite::OpenSqliteRunRetention(folder_.File("runs.db"));
  }

 private:
  TempFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, RunRetentionConformance,
                         testing::Values([] { return std::make_unique<SqliteRetentionScene>(); }));

}  // namespace
}  // namespace tests::support
