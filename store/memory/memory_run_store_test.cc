// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_run_store.h"

#include "tests/support/run_store_conformance.h"

namespace tests::support {
namespace {

class MemoryScene : public StoreScene {
 public:
  explicit MemoryScene(bool through_codec) : options_{through_codec} {}
  std::unique_ptr<engine::ports::RunStore> Open() override {
    return store::memory::OpenMemoryRunStore(disk_, options_);
  }

 private:
  std::shared_ptr<store::memory::MemoryDisk> disk_ = std::make_shared<store::memory::MemoryDisk>();
  store::memory::MemoryStoreOptions options_;
};

INSTANTIATE_TEST_SUITE_P(Memory, RunStoreConformance, testing::Values([] {
                           return std::make_unique<MemoryScene>(/*through_codec=*/false);
                         }));
INSTANTIATE_TEST_SUITE_P(MemoryThroughCodec, RunStoreConformance, testing::Values([] {
                           return std::make_unique<MemoryScene>(/*through_codec=*/true);
                         }));

}  // namespace
}  // namespace tests::support
