// SPDX-License-Identifier: Apache-2.0
// The keeper with its thread, on leases whose time the test moves. What it may believe when stands
// in `lease_state_test.cc`.
#include "engine/loop/lease_keeper.h"

#include <condition_variable>
#include <vector>

#include <gtest/gtest.h>

#include "store/memory/memory_shard_lease.h"

namespace engine::loop {
namespace {

using store::memory::MemoryLeaseTable;

// A server that notes what its keeper tells it.
class Server {
 public:
  Server(MemoryLeaseTable& table, const char* name, const LeaseTimes& times)
      : lease_(table.Open()),
        keeper_(std::make_unique<LeaseKeeper>(
            *lease_, LeaseKeeperOptions{{name, std::string(name) + ":1"},
                                        times,
                                        [this](Standing standing, model::Epoch epoch) {
                                          const std::lock_guard lock(mutex_);
                                          told_.push_back(standing);
                                          epoch_ = epoch;
                                          changed_.notify_all();
                                        }})) {}

  void Await(Standing standing) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !told_.empty() && told_.back() == standing; });
  }
  model::Epoch epoch() {
    const std::lock_guard lock(mutex_);
    return epoch_;
  }
  LeaseKeeper& keeper() { return *keeper_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Standing> told_;
  model::Epoch epoch_;
  std::unique_ptr<ports::ShardLease> lease_;
  std::unique_ptr<LeaseKeeper> keeper_;
};

// Real time is not what these tests wait for: nothing is due before they are over, or all at once.
constexpr LeaseTimes kSlow = {.length = std::chrono::hours(2),
                              .renew_every = std::chrono::hours(1),
                              .retry_every = std::chrono::milliseconds(1)};
constexpr LeaseTimes kQuick = {.length = std::chrono::milliseconds(20),
                               .renew_every = std::chrono::milliseconds(1),
                               .retry_every = std::chrono::milliseconds(1)};

TEST(LeaseKeeper, TakesAFreeShard) {
  MemoryLeaseTable table;
  Server a(table, "a", kSlow);
  a.Await(Standing::kOwner);
  EXPECT_TRUE(a.keeper().StillOwner());
  EXPECT_EQ(a.epoch(), model::Epoch(1));
  EXPECT_EQ(a.keeper().SeenOwner().owner.name, "a");
}

TEST(LeaseKeeper, AStandbyKnowsTheOwnersAddress) {
  MemoryLeaseTable table;
  Server a(table, "a", kSlow);
  a.Await(Standing::kOwner);
  Server b(table, "b", kSlow);
  b.Await(Standing::kStandby);
  while (b.keeper().SeenOwner().owner.address != "a:1") {
    std::this_thread::yield();
  }
  EXPECT_FALSE(b.keeper().StillOwner());
}

TEST(LeaseKeeper, AStandbyTakesOverAtOnceWhenTheLeaseIsGivenUp) {
  MemoryLeaseTable table;
  Server a(table, "a", kSlow);
  a.Await(Standing::kOwner);
  Server b(table, "b", kSlow);
  b.Await(Standing::kStandby);
  ASSERT_TRUE(a.keeper().GiveUp().ok());
  EXPECT_FALSE(a.keeper().StillOwner());
  b.Await(Standing::kOwner);
  EXPECT_EQ(b.epoch(), model::Epoch(2));
}

TEST(LeaseKeeper, AStandbyTakesOverWhenTheLeaseRunsOut) {
  MemoryLeaseTable table;
  {
    Server a(table, "a", kSlow);
    a.Await(Standing::kOwner);
  }
  Server b(table, "b", kSlow);
  b.Await(Standing::kStandby);
  table.Advance(std::chrono::hours(3));
  b.Await(Standing::kOwner);
  EXPECT_EQ(b.epoch(), model::Epoch(2));
}

TEST(LeaseKeeper, AnOwnerThatCannotRenewIsDoubtfulAndComesBack) {
  MemoryLeaseTable table;
  Server a(table, "a", kQuick);
  a.Await(Standing::kOwner);
  table.FailWith(base::Unavailable("out of reach"));
  a.Await(Standing::kDoubtful);
  EXPECT_FALSE(a.keeper().StillOwner());
  table.FailWith(base::OkStatus());
  a.Await(Standing::kOwner);
  EXPECT_EQ(a.epoch(), model::Epoch(1));
}

TEST(LeaseKeeper, AnOwnerIsToldThatAnotherTookTheShard) {
  MemoryLeaseTable table;
  Server a(table, "a", kQuick);
  a.Await(Standing::kOwner);
  table.TakeOver({"b", "b:1"}, std::chrono::hours(9));
  a.Await(Standing::kDeposed);
  EXPECT_FALSE(a.keeper().StillOwner());
  EXPECT_EQ(a.keeper().SeenOwner().owner.name, "b");
}

}  // namespace
}  // namespace engine::loop
