// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_shard_lease.h"

#include <condition_variable>

#include "engine/loop/lease_keeper.h"
#include "store/postgres/postgres_run_store.h"
#include "store/postgres/test_database.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/shard_lease_conformance.h"

namespace tests::support {
namespace {

constexpr auto kOfABusyMachine = std::chrono::minutes(1);

class PostgresLeaseScene : public LeaseScene {
 public:
  std::unique_ptr<engine::ports::ShardLease> Open() override {
    auto lease = store::postgres::OpenPostgresShardLease(
        {.conninfo = database_.conninfo(), .patience = kOfABusyMachine});
    CHECK_MSG(lease.ok(), lease.status().ToString().c_str());
    return *std::move(lease);
  }
  void LetLeasesEnd() override {
    database_.Sql("UPDATE dayfly.shard SET lease_until = clock_timestamp()");
  }

 private:
  store::postgres::testing::TestDatabase database_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, ShardLeaseConformance,
                         testing::Values([] { return std::make_unique<PostgresLeaseScene>(); }));

}  // namespace
}  // namespace tests::support

namespace store::postgres::testing {
namespace {

namespace loop = engine::loop;
namespace model = engine::model;
namespace ports = engine::ports;
using loop::Standing;
using tests::support::SharedCluster;

std::unique_ptr<ports::ShardLease> OpenLease(const TestDatabase& database) {
  auto lease = OpenPostgresShardLease({.conninfo = database.conninfo()});
  CHECK_MSG(lease.ok(), lease.status().ToString().c_str());
  return *std::move(lease);
}

// A server as far as leases go: takes the shard when it may, and opens the store then.
class Server {
 public:
  Server(const TestDatabase& database, const char* name, const loop::LeaseTimes& times = {})
      : lease_(OpenLease(database)) {
    loop::LeaseKeeperOptions options;
    options.me = {name, std::string(name) + ":7000"};
    options.times = times;
    options.told = [this](Standing standing, model::Epoch epoch) {
      const std::lock_guard lock(mutex_);
      standing_ = standing;
      epoch_ = epoch;
      changed_.notify_all();
    };
    keeper_ = std::make_unique<loop::LeaseKeeper>(*lease_, options);
  }
  model::Epoch Await(Standing standing) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return standing_ == standing; });
    return epoch_;
  }
  loop::LeaseKeeper& keeper() { return *keeper_; }
  void Die() { keeper_.reset(); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Standing standing_ = Standing::kStandby;
  model::Epoch epoch_;
  std::unique_ptr<ports::ShardLease> lease_;
  std::unique_ptr<loop::LeaseKeeper> keeper_;
};

TEST(TakingOver, AStandbyOwnsTheShardSoonAfterTheOwnerDied) {
  TestDatabase database;
  Server owner(database, "a");
  const model::Epoch first = owner.Await(Standing::kOwner);
  Server standby(database, "b");
  owner.Die();
  const model::Epoch second = standby.Await(Standing::kOwner);
  EXPECT_GT(second, first);
  const auto store = OpenPostgresRunStore({.conninfo = database.conninfo(), .leased = second});
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(*(*store)->AcquireShard(), second);
}

TEST(TakingOver, IsAtOnceWhenTheLeaseIsGivenUp) {
  // Leases last hours: only the notification can wake the standby in time.
  const loop::LeaseTimes slow = {.length = std::chrono::hours(2),
                                 .renew_every = std::chrono::hours(1)};
  TestDatabase database;
  Server owner(database, "a", slow);
  owner.Await(Standing::kOwner);
  Server standby(database, "b", slow);
  while (standby.keeper().SeenOwner().owner.address != "a:7000") {
    std::this_thread::yield();
  }
  ASSERT_TRUE(owner.keeper().GiveUp().ok());
  standby.Await(Standing::kOwner);
}

TEST(KeepingTheLease, SurvivesARestartOfTheDatabase) {
  const loop::LeaseTimes quick = {.length = std::chrono::milliseconds(300),
                                  .renew_every = std::chrono::milliseconds(20),
                                  .retry_every = std::chrono::milliseconds(20)};
  TestDatabase database;
  Server owner(database, "a", quick);
  const model::Epoch epoch = owner.Await(Standing::kOwner);
  SharedCluster().Kill();
  owner.Await(Standing::kDoubtful);
  EXPECT_FALSE(owner.keeper().StillOwner());
  SharedCluster().Start();
  EXPECT_EQ(owner.Await(Standing::kOwner), epoch) << "nobody took it meanwhile";
  EXPECT_TRUE(owner.keeper().StillOwner());
}

TEST(KeepingTheLease, AnOwnerThatWasPassedOverHearsOfIt) {
  const loop::LeaseTimes quick = {.length = std::chrono::seconds(30),
                                  .renew_every = std::chrono::milliseconds(20)};
  TestDatabase database;
  Server owner(database, "a", quick);
  owner.Await(Standing::kOwner);
  database.Sql("UPDATE dayfly.shard SET epoch = epoch + 1, owner = 'b', address = 'b:7000'");
  owner.Await(Standing::kDeposed);
  EXPECT_EQ(owner.keeper().SeenOwner().owner.address, "b:7000");
}

}  // namespace
}  // namespace store::postgres::testing
