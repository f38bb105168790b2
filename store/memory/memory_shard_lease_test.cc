// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_shard_lease.h"

#include "tests/support/shard_lease_conformance.h"

namespace tests::support {
namespace {

class MemoryLeaseScene : public LeaseScene {
 public:
  std::unique_ptr<engine::ports::ShardLease> Open() override { return table_.Open(); }
  void LetLeasesEnd() override { table_.Advance(std::chrono::hours(24)); }

 private:
  store::memory::MemoryLeaseTable table_;
};

INSTANTIATE_TEST_SUITE_P(Memory, ShardLeaseConformance,
                         testing::Values([] { return std::make_unique<MemoryLeaseScene>(); }));

}  // namespace
}  // namespace tests::support
