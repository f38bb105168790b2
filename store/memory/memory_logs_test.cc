// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_logs.h"

#include "store/logs/serial_thread.h"
#include "tests/support/log_conformance.h"

namespace tests::support {
namespace {

class MemoryScene : public LogScene {
 public:
  LogsUnderTest Open() override { return {&logs_, &logs_}; }

 private:
  store::logs::SerialThread thread_;
  store::memory::MemoryLogs logs_{[this](auto work) { thread_.Post(std::move(work)); }};
};

INSTANTIATE_TEST_SUITE_P(Memory, LogConformance,
                         testing::Values([] { return std::make_unique<MemoryScene>(); }));

}  // namespace
}  // namespace tests::support
