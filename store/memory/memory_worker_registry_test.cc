// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_worker_registry.h"

#include "tests/support/worker_registry_conformance.h"

namespace store::memory {
namespace {

class Fixture {
 public:
  engine::ports::WorkerRegistry& registry() { return registry_; }

 private:
  MemoryWorkerRegistry registry_;
};

}  // namespace
}  // namespace store::memory

namespace tests::support {
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, WorkerRegistryConformance, store::memory::Fixture);
}  // namespace tests::support
