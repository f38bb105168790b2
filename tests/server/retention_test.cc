// SPDX-License-Identifier: Apache-2.0
// The real server drops what is older than its `keep` says, as soon as it owns the runs.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>

#include "store/postgres/postgres_run_history.h"
#include "store/postgres/postgres_run_store.h"
#include "store/sqlite/sqlite_run_history.h"
#include "store/sqlite/sqlite_run_store.h"
#include "tests/server/real_server.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/run_history_fixture.h"

namespace tests::server {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class SqliteScene final : public support::HistoryScene {
 public:
  explicit SqliteScene(std::string path) : path_(std::move(path)) {}
  std::unique_ptr<engine::ports::RunStore> OpenStore() override {
    return *store::sqlite::OpenSqliteRunStore(path_);
  }
  std::unique_ptr<engine::ports::RunHistory> OpenHistory() override {
    return *store::sqlite::OpenSqliteRunHistory(path_);
  }

 private:
  const std::string path_;
};

class PostgresScene final : public support::HistoryScene {
 public:
  explicit PostgresScene(std::string database) : database_(std::move(database)) {}
  std::unique_ptr<engine::ports::RunStore> OpenStore() override {
    return *store::postgres::OpenPostgresRunStore({.conninfo = database_});
  }
  std::unique_ptr<engine::ports::RunHistory> OpenHistory() override {
    return *store::postgres::OpenPostgresRunHistory({.conninfo = database_});
  }

 private:
  const std::string database_;
};

/// What a server has left that nobody remembers.
class Past final : public support::RunHistoryFixture {
 public:
  explicit Past(std::unique_ptr<support::HistoryScene> scene) { Open(std::move(scene)); }

  /// A run that was accepted on this day since 1970, and is over.
  std::string Run(std::int64_t day) {
    const std::string id =
        ToText(engine::model::RunId((static_cast<std::uint64_t>(day) * 86'400'000) << 20));
    const engine::model::RunId run = Accept({.id = id.c_str()});
    EndJob(run, 0, milliseconds(1));
    support::RunHistoryFixture::EndRun(run, engine::model::Status::kSucceeded);
    return id;
  }
  /// As many as are kept: who recovers reads nothing of what was before.
  void TakeSnapshots() {
    for (int i = 0; i < 2; ++i) {
      Commit({}, {{kAt, engine::model::WorkerRecovered{}}}, {});
      engine::ports::CommitBatch batch{.epoch = epoch_, .seq_before = seq_, .seq_after = seq_};
      batch.snapshot =
          std::make_shared<const engine::model::Snapshot>(engine::model::Snapshot{seq_, {}});
      const engine::base::Status status = store_->Commit(batch);
      EXPECT_TRUE(status.ok()) << status;
    }
  }
  void TestBody() override {}
};

std::int64_t Today() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::hours>(now).count() / 24;
}

class Retention : public RealServer, public testing::WithParamInterface<const char*> {
 protected:
  /// Where the server keeps its runs; says so in its settings.
  std::unique_ptr<support::HistoryScene> Scene() const {
    if (GetParam() == std::string("Sqlite")) {
      return std::make_unique<SqliteScene>(File("srv/runs.db"));
    }
    const std::string database = support::SharedCluster().NewDatabase();
    Set("store: ", fmt::format("\"postgres:{}\"", database));
    return std::make_unique<PostgresScene>(database);
  }
  std::string ArchiveOf(const std::string& run) const { return File("srv/logs/runs/" + run); }
  void MakeArchive(const std::string& run) const {
    fs::create_directories(ArchiveOf(run));
    std::ofstream(ArchiveOf(run) + "/1-0.arc") << "x";
  }
  std::string Runs() const { return Run({"runs"}).text; }
};

TEST_P(Retention, DropsRunsOfOldDaysAndNoOthers) {
  std::string old;
  std::string young;
  {
    Past past(Scene());
    old = past.Run(Today() - 3);
    young = past.Run(Today() - 1);
    past.TakeSnapshots();
  }
  MakeArchive(old);
  MakeArchive(young);
  StartServer();
  EXPECT_THAT(Runs(), AllOf(HasSubstr(old), HasSubstr(young))) << "without `keep` for ever";
  server_->Kill();
  Set("# keep: 90", "\nkeep: 2");
  StartServer();
  const auto agent = Agent(Token());
  ExpectSuccess(*Submit("name: now\njobs:\n  a:\n    checkout: false\n    steps: ['true']\n"));
  while (!HasFailure() && (fs::exists(ArchiveOf(old)) || Runs().find(old) != std::string::npos)) {
  }
  EXPECT_THAT(Runs(), AllOf(HasSubstr(young), HasSubstr("now"), Not(HasSubstr(old))));
  EXPECT_TRUE(fs::exists(ArchiveOf(young)));
}

INSTANTIATE_TEST_SUITE_P(Stores, Retention, testing::Values("Sqlite", "Postgres"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace tests::server
