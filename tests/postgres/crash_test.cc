// SPDX-License-Identifier: Apache-2.0
// PostgreSQL is killed, cut off or full while the real engine commits to it.
#include <filesystem>
#include <fstream>
#include <sys/mount.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/postgres/test_database.h"
#include "tests/postgres/loop_on_postgres.h"
#include "tests/support/cut_proxy.h"
#include "tests/support/postgres_cluster.h"

namespace tests::postgres {
namespace {

using loop::testing::JobsAside;
using store::postgres::testing::TestDatabase;
using tests::support::Cut;
using tests::support::CutProxy;
using tests::support::SharedCluster;

void ExpectAccepted(std::future<loop::Answer>& answer) {
  const loop::Answer got = answer.get();
  EXPECT_TRUE(got.status.ok()) << got.status;
  EXPECT_TRUE(got.refused.empty());
}

TEST(PostgresKilled, InTheMiddleOfCommitsLosesAndDoublesNothing) {
  constexpr int kKills = 5;
  constexpr int kRuns = 300;
  constexpr int kJobs = 3;
  const std::string database = SharedCluster().NewDatabase();
  // Snapshots often, so that some come with the commits that are cut off.
  LoopOnPostgres scene(database, /*snapshot_every=*/200);
  std::vector<std::future<loop::Answer>> answers;
  for (int kill = 0; kill < kKills; ++kill) {
    const std::size_t before = scene.facts();
    for (int i = 0; i < kRuns / kKills; ++i) {
      answers.push_back(
          scene.Submit(JobsAside(kJobs), RunNumber(static_cast<int>(answers.size()))));
    }
    scene.AwaitFacts(before + 50);
    SharedCluster().Kill();
    SharedCluster().Start();
  }
  scene.AwaitRunsEnded(kRuns);
  for (std::future<loop::Answer>& answer : answers) {
    ExpectAccepted(answer);
  }
  scene.ExpectNothingLostOrDoubled(kRuns, kJobs);
}

class CutOff : public ::testing::TestWithParam<Cut> {};

TEST_P(CutOff, ACommitWhoseOutcomeIsUnknownLosesAndDoublesNothing) {
  constexpr int kRounds = 8;
  constexpr int kJobs = 2;
  CutProxy proxy(SharedCluster().socket());
  LoopOnPostgres scene(SharedCluster().NewDatabase() + " host=" + proxy.folder());
  int runs = 0;
  for (int round = 0; round < kRounds; ++round) {
    scene.Submit(JobsAside(kJobs), RunNumber(runs++)).wait();
    scene.AwaitRunsEnded(runs);
    proxy.CutNext(GetParam());
    std::future<loop::Answer> answer = scene.Submit(JobsAside(kJobs), RunNumber(runs++));
    ExpectAccepted(answer);
    // By now the loop has a new connection and has read what is stored.
    EXPECT_EQ(proxy.DeliverLate(), GetParam() == Cut::kRequestLate);
    scene.AwaitRunsEnded(runs);
  }
  EXPECT_EQ(scene.troubles().size(), static_cast<std::size_t>(kRounds));
  scene.ExpectNothingLostOrDoubled(runs, kJobs);
}

INSTANTIATE_TEST_SUITE_P(Cuts, CutOff,
                         ::testing::Values(Cut::kRequestLost, Cut::kAnswerLost, Cut::kRequestLate),
                         [](const auto& param_info) {
                           return std::string(param_info.param == Cut::kRequestLost ? "RequestLost"
                                              : param_info.param == Cut::kAnswerLost
                                                  ? "AnswerLost"
                                                  : "RequestLate");
                         });

TEST(PostgresFull, IsWaitedForAndNothingIsLost) {
  TestDatabase database;
  LoopOnPostgres scene(database.conninfo());
  scene.Submit(JobsAside(2), RunNumber(0)).wait();
  scene.AwaitRunsEnded(1);
  database.Sql(
      "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;"
      "CREATE TRIGGER full_disk BEFORE INSERT ON dayfly.log FOR EACH ROW EXECUTE FUNCTION"
      " full_disk()");
  std::future<loop::Answer> answer = scene.Submit(JobsAside(2), RunNumber(1));
  scene.AwaitTroubles(3);
  database.Sql("DROP TRIGGER full_disk ON dayfly.log");
  ExpectAccepted(answer);
  scene.AwaitRunsEnded(2);
  for (const base::Status& trouble : scene.troubles()) {
    EXPECT_EQ(trouble.code(), absl::StatusCode::kResourceExhausted) << trouble;
  }
  scene.ExpectNothingLostOrDoubled(2, 2);
}

// A file system of its own, so that it can be filled.
class SmallDisk {
 public:
  static constexpr const char* kOptions = "size=192m,mode=0755";
  SmallDisk() : mounted_(mount("tmpfs", path().c_str(), "tmpfs", 0, kOptions) == 0) {}
  ~SmallDisk() {
    if (mounted_) {
      umount2(path().c_str(), MNT_DETACH);
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  std::string path() const { return folder_.path().string(); }
  /// To the last byte.
  void Fill() const {
    const std::string block(1 << 20, 'x');
    std::ofstream file(folder_.File("filler"), std::ios::binary);
    while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void Clear() const { std::filesystem::remove(folder_.File("filler")); }

 private:
  tests::support::TempFolder folder_;
  bool mounted_;
};

// Whether PostgreSQL refuses a commit (a table cannot grow) or ends (its log cannot) is its affair.
TEST(PostgresFull, ARealDiskIsWaitedForAndNothingIsLost) {
  const SmallDisk disk;
  if (!disk.mounted()) {
    GTEST_SKIP() << "a small file system can only be mounted by root";
  }
  tests::support::PostgresCluster cluster(
      {.settings = {"max_wal_size=32MB"}, .parent = disk.path(), .durable = true});
  LoopOnPostgres scene(cluster.NewDatabase());
  scene.Submit(JobsAside(2), RunNumber(0)).wait();
  scene.AwaitRunsEnded(1);
  disk.Fill();
  int runs = 1;
  std::vector<std::future<loop::Answer>> answers;
  while (scene.troubles().empty()) {
    answers.push_back(scene.Submit(JobsAside(100), RunNumber(runs++)));
    scene.AwaitAnswerOrTrouble(answers.back());
  }
  scene.AwaitTroubles(3);
  disk.Clear();
  cluster.Kill();
  cluster.Start();
  for (std::future<loop::Answer>& answer : answers) {
    ExpectAccepted(answer);
  }
  scene.AwaitRunsEnded(runs);
}

TEST(PostgresRestarted, BetweenCommitsCostsOneFailedCommit) {
  const std::string database = SharedCluster().NewDatabase();
  LoopOnPostgres scene(database);
  scene.Submit(JobsAside(1), RunNumber(0)).wait();
  scene.AwaitRunsEnded(1);
  SharedCluster().Stop();
  SharedCluster().Start();
  std::future<loop::Answer> answer = scene.Submit(JobsAside(1), RunNumber(1));
  ExpectAccepted(answer);
  scene.AwaitRunsEnded(2);
  EXPECT_EQ(scene.troubles().size(), 1U);
  scene.ExpectNothingLostOrDoubled(2, 1);
}

TEST(PostgresOwner, ASecondServerTakesOverAndGoesOn) {
  const std::string database = SharedCluster().NewDatabase();
  auto first = std::make_unique<LoopOnPostgres>(database);
  first->Submit(JobsAside(3), RunNumber(0)).wait();
  first->AwaitRunsEnded(1);
  LoopOnPostgres second(database);
  // The first does not know yet: its next commit misses the fence, and it gives up.
  const loop::Answer refused = first->Submit(JobsAside(1), RunNumber(1)).get();
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kAborted) << refused.status;
  first.reset();
  std::future<loop::Answer> answer = second.Submit(JobsAside(1), RunNumber(1));
  ExpectAccepted(answer);
  second.AwaitRunsEnded(1);
}

}  // namespace
}  // namespace tests::postgres
