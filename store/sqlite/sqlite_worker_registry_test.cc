// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_worker_registry.h"

#include "engine/base/check.h"
#include "tests/support/temp_folder.h"
#include "tests/support/worker_registry_conformance.h"

namespace store::sqlite {
namespace {

std::unique_ptr<engine::ports::WorkerRegistry> OpenAt(const std::string& path) {
  auto registry = OpenSqliteWorkerRegistry(path);
  CHECK_MSG(registry.ok(), registry.status().ToString().c_str());
  return *std::move(registry);
}

class Fixture {
 public:
  engine::ports::WorkerRegistry& registry() { return *registry_; }

 private:
  tests::support::TempFolder folder_;
  std::unique_ptr<engine::ports::WorkerRegistry> registry_ = OpenAt(folder_.File("workers"));
};

TEST(SqliteWorkers, OutliveTheProcess) {
  const tests::support::TempFolder folder;
  const auto now = engine::base::InstantFromMicros(1'700'000'000'000'000);
  const auto token = engine::base::Sha256("t");
  ASSERT_TRUE(OpenAt(folder.File("workers"))
                  ->AddGrant({.token = token,
                              .launch = "",
                              .pool = "pool",
                              .expires_at = now + std::chrono::minutes(5)})
                  .ok());
  ASSERT_TRUE(
      OpenAt(folder.File("workers"))->Redeem(token, now, engine::model::WorkerId(7), "box").ok());
  EXPECT_EQ(OpenAt(folder.File("workers"))->Find(engine::model::WorkerId(7))->pool, "pool");
}

}  // namespace
}  // namespace store::sqlite

namespace tests::support {
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, WorkerRegistryConformance, store::sqlite::Fixture);
}  // namespace tests::support
