// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/migrate.h"

#include <future>
#include <latch>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/postgres/schema.h"
#include "store/postgres/test_database.h"

namespace store::postgres::testing {
namespace {

using base::Status;
using ::testing::HasSubstr;

TEST(Migrate, IsDoneOnceHoweverManyServersStart) {
  constexpr int kServers = 6;
  TestDatabase database;
  std::latch together(kServers);
  std::vector<Status> outcomes(kServers);
  std::vector<std::thread> servers;
  for (int i = 0; i < kServers; ++i) {
    servers.emplace_back([&, i] {
      auto connection = Connection::Open({.conninfo = database.conninfo()});
      together.arrive_and_wait();
      outcomes[static_cast<std::size_t>(i)] =
          connection.ok() ? Migrate(**connection) : connection.status();
    });
  }
  for (std::thread& server : servers) {
    server.join();
  }
  for (const Status& outcome : outcomes) {
    EXPECT_TRUE(outcome.ok()) << outcome;
  }
  EXPECT_EQ(database.Number("SELECT count(*) FROM dayfly.migration"),
            static_cast<std::int64_t>(kMigrations.size()));
}

// The lease's connection gives up on a statement after a second; a server that starts beside one
// that migrates large tables must wait for longer.
TEST(Migrate, WaitsForAnotherServerLongerThanStatementsMayTake) {
  TestDatabase database;
  auto first = Connection::Open({.conninfo = database.conninfo()});
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE((*first)->Execute("SELECT pg_advisory_lock(4926105847338233193)").ok());
  auto second = std::async(std::launch::async, [&] {
    return OpenMigrated(
        {.conninfo = database.conninfo(), .statement_timeout = std::chrono::seconds(1)});
  });
  const auto waits_for_long = [&] {
    return database.Number(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
               " AND clock_timestamp() - query_start > '1.2 s'") == 1;
  };
  while (second.wait_for(std::chrono::seconds(0)) != std::future_status::ready &&
         !waits_for_long()) {
  }
  first->reset();
  const auto connection = second.get();
  EXPECT_TRUE(connection.ok()) << connection.status();
}

TEST(Migrate, VersionsAreNumberedInOrder) {
  for (std::size_t i = 0; i < kMigrations.size(); ++i) {
    EXPECT_EQ(kMigrations[i].version, static_cast<int>(i) + 1);
  }
}

TEST(Migrate, ANewerVersionIsRefusedAndNamed) {
  TestDatabase database;
  ASSERT_TRUE(OpenMigrated({.conninfo = database.conninfo()}).ok());
  database.Sql("INSERT INTO dayfly.migration (version, name) VALUES (700, 'of the future')");
  const Status status = OpenMigrated({.conninfo = database.conninfo()}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(base::Message(status)), HasSubstr("version 700"));
  EXPECT_THAT(std::string(base::Message(status)), HasSubstr("install"));
}

TEST(Migrate, ASchemaOfSomebodyElseIsLeftAsItIs) {
  TestDatabase database;
  database.Sql("CREATE SCHEMA dayfly; CREATE TABLE dayfly.plan(theirs int)");
  const Status status = OpenMigrated({.conninfo = database.conninfo()}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_EQ(database.Number("SELECT count(*) FROM pg_class WHERE relnamespace ="
                            " 'dayfly'::regnamespace"),
            1);
}

TEST(Migrate, ASchemaThatAnAdministratorMadeIsUsed) {
  TestDatabase database;
  database.Sql("CREATE SCHEMA dayfly");
  const Status status = OpenMigrated({.conninfo = database.conninfo()}).status();
  EXPECT_TRUE(status.ok()) << status;
}

TEST(EnsureDays, MayBeAskedForByManyAtOnce) {
  constexpr int kServers = 6;
  TestDatabase database;
  ASSERT_TRUE(OpenMigrated({.conninfo = database.conninfo()}).ok());
  std::latch together(kServers);
  std::vector<std::thread> servers;
  for (int i = 0; i < kServers; ++i) {
    servers.emplace_back([&] {
      auto connection = Connection::Open({.conninfo = database.conninfo()});
      together.arrive_and_wait();
      const Status status = (*connection)->Execute("SELECT dayfly.ensure_days(19000, 19004)");
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (std::thread& server : servers) {
    server.join();
  }
  EXPECT_EQ(database.Number("SELECT count(*) FROM pg_inherits i JOIN pg_class c"
                            " ON c.oid = i.inhrelid WHERE c.relkind = 'r'"),
            15);
}

}  // namespace
}  // namespace store::postgres::testing
