// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_worker_registry.h"

#include "store/postgres/test_database.h"
#include "tests/support/cut_proxy.h"
#include "tests/support/worker_registry_conformance.h"

namespace store::postgres::testing {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using tests::support::Cut;
using tests::support::CutProxy;
using tests::support::SharedCluster;

std::unique_ptr<ports::WorkerRegistry> OpenRegistry(const std::string& conninfo) {
  auto registry = OpenPostgresWorkerRegistry({.conninfo = conninfo});
  CHECK_MSG(registry.ok(), registry.status().ToString().c_str());
  return *std::move(registry);
}

class Fixture {
 public:
  ports::WorkerRegistry& registry() { return *registry_; }

 private:
  TestDatabase database_;
  std::unique_ptr<ports::WorkerRegistry> registry_ = OpenRegistry(database_.conninfo());
};

constexpr base::Instant kNow = base::InstantFromMicros(1'700'000'000'000'000);

ports::JoinGrant GrantOf(const std::string& secret) {
  return {.token = base::Sha256(secret),
          .launch = "",
          .pool = "pool",
          .expires_at = kNow + std::chrono::minutes(5)};
}

TEST(PostgresWorkers, AreTheSameAtAllServers) {
  TestDatabase database;
  const auto a = OpenRegistry(database.conninfo());
  const auto b = OpenRegistry(database.conninfo());
  ASSERT_TRUE(a->AddGrant(GrantOf("t")).ok());
  ASSERT_TRUE(b->Redeem(base::Sha256("t"), kNow, model::WorkerId(7), "box").ok());
  EXPECT_FALSE(a->Redeem(base::Sha256("t"), kNow, model::WorkerId(8), "box").ok());
  ASSERT_TRUE(a->Retire(model::WorkerId(7)).ok());
  EXPECT_TRUE(b->Find(model::WorkerId(7))->retired);
}

TEST(PostgresWorkers, TextOfAnybodyIsJustBytes) {
  TestDatabase database;
  const auto registry = OpenRegistry(database.conninfo());
  const std::string host("'; DROP TABLE dayfly.worker; --\0\xff", 33);
  ports::JoinGrant grant = GrantOf("t");
  grant.launch = grant.pool = host;
  ASSERT_TRUE(registry->AddGrant(grant).ok());
  ASSERT_TRUE(registry->Redeem(grant.token, kNow, model::WorkerId(7), host).ok());
  const auto found = registry->Find(model::WorkerId(7));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->host, host);
  EXPECT_EQ(found->pool, host);
  EXPECT_EQ(found->launch, host);
}

// A token is used up once, and its worker is made, whatever becomes of the answer.
class CutRedeem : public ::testing::TestWithParam<Cut> {};

TEST_P(CutRedeem, MakesTheWorkerAllTheSame) {
  CutProxy proxy(SharedCluster().socket());
  const auto registry = OpenRegistry(SharedCluster().NewDatabase() + " host=" + proxy.folder());
  ASSERT_TRUE(registry->AddGrant(GrantOf("warm")).ok());
  ASSERT_TRUE(registry->Redeem(base::Sha256("warm"), kNow, model::WorkerId(1), "").ok());
  ASSERT_TRUE(registry->AddGrant(GrantOf("t")).ok());
  proxy.CutNext(GetParam());
  const auto worker = registry->Redeem(base::Sha256("t"), kNow, model::WorkerId(7), "box");
  ASSERT_TRUE(worker.ok()) << worker.status();
  EXPECT_EQ(worker->pool, "pool");
  EXPECT_EQ(registry->Workers()->size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Cuts, CutRedeem, ::testing::Values(Cut::kRequestLost, Cut::kAnswerLost),
                         [](const auto& param_info) {
                           return std::string(param_info.param == Cut::kRequestLost ? "RequestLost"
                                                                                    : "AnswerLost");
                         });

}  // namespace
}  // namespace store::postgres::testing

namespace tests::support {
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, WorkerRegistryConformance,
                               store::postgres::testing::Fixture);
}  // namespace tests::support
