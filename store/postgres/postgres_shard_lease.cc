// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_shard_lease.h"

#include <algorithm>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "engine/base/check.h"
#include "store/postgres/connection.h"
#include "store/postgres/migrate.h"

namespace store::postgres {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

// In microseconds, as intervals are only counted by the database's clock. `clock_timestamp`, not
// `now`: the statement may have waited for the row, and the lease runs from when it was written.
#define DAYFLY_REMAINING                                                                    \
  "(extract(epoch FROM greatest(least(lease_until, clock_timestamp() + interval '1 day'), " \
  "clock_timestamp() - interval '1 day') - clock_timestamp()) * 1000000)::bigint"

constexpr Statement kTry = {
    "try_lease",
    "WITH taken AS ("
    " INSERT INTO dayfly.shard AS s (id, epoch, seq, owner, address, lease_until)"
    " VALUES ($1::bigint, 1, 0, $2::text, $3::text,"
    "         clock_timestamp() + $4::bigint * interval '1 microsecond')"
    " ON CONFLICT (id) DO UPDATE SET epoch = s.epoch + 1, reconnects = 0,"
    "  owner = excluded.owner, address = excluded.address,"
    "  lease_until = clock_timestamp() + $4::bigint * interval '1 microsecond'"
    " WHERE s.lease_until <= clock_timestamp()"
    " RETURNING epoch, owner, address, lease_until"
    ") SELECT true, epoch, owner, address, " DAYFLY_REMAINING
    " FROM taken UNION ALL"
    " SELECT false, epoch, owner, address, " DAYFLY_REMAINING
    " FROM dayfly.shard WHERE id = $1::bigint AND NOT EXISTS (SELECT FROM taken)"};

constexpr Statement kRenew = {
    "renew_lease",
    "UPDATE dayfly.shard SET"
    " lease_until = clock_timestamp() + $3::bigint * interval '1 microsecond'"
    " WHERE id = $1::bigint AND epoch = $2::bigint RETURNING id"};

constexpr Statement kGiveUp = {
    "give_up_lease",
    "WITH given AS ("
    " UPDATE dayfly.shard SET owner = '', address = '', lease_until = '-infinity'"
    " WHERE id = $1::bigint AND epoch = $2::bigint RETURNING id"
    ") SELECT pg_notify('dayfly_lease', id::text) FROM given"};

constexpr Statement kOwner = {"lease_owner", "SELECT epoch, owner, address, " DAYFLY_REMAINING
                                             " FROM dayfly.shard WHERE id = $1::bigint"};
#undef DAYFLY_REMAINING

ports::ShardOwner OwnerAt(const Rows& rows, int column) {
  return {.epoch = model::Epoch(rows.Uint(0, column)),
          .owner = {std::string(rows.Text(0, column + 1)), std::string(rows.Text(0, column + 2))},
          .remaining = base::Duration(rows.Int(0, column + 3))};
}

class PostgresShardLease : public ports::ShardLease {
 public:
  explicit PostgresShardLease(const ShardLeaseOptions& options)
      : options_(options), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    CHECK(wake_ >= 0);
  }
  ~PostgresShardLease() override { close(wake_); }

  StatusOr<ports::LeaseTry> Try(const ports::OwnerName& me, base::Duration length) override;
  StatusOr<bool> Renew(model::Epoch epoch, base::Duration length) override;
  Status GiveUp(model::Epoch epoch) override;
  StatusOr<ports::ShardOwner> Owner() override;
  void Wait(base::Duration at_most) override;
  void Wake() override;

  StatusOr<Connection*> Connect();

 private:
  Parameters Shard() const { return Parameters().Int64(options_.shard.value()); }

  ShardLeaseOptions options_;
  int wake_;
  std::unique_ptr<Connection> connection_;
};

StatusOr<Connection*> PostgresShardLease::Connect() {
  if (connection_ != nullptr && !connection_->broken()) {
    return connection_.get();
  }
  connection_.reset();
  ASSIGN_OR_RETURN(auto connection, OpenMigrated({.conninfo = options_.conninfo,
                                                  .statement_timeout = options_.patience,
                                                  .network_timeout = options_.patience}));
  RETURN_IF_ERROR(connection->Execute("LISTEN dayfly_lease"));
  connection_ = std::move(connection);
  return connection_.get();
}

StatusOr<ports::LeaseTry> PostgresShardLease::Try(const ports::OwnerName& me,
                                                  base::Duration length) {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  ASSIGN_OR_RETURN(
      const Rows rows,
      connection->Run(kTry, Shard().Bytes(me.name).Bytes(me.address).Int64(length.count())));
  if (rows.empty()) {
    // The row came into being while we looked: whose it is we see the next time.
    return ports::LeaseTry{};
  }
  return ports::LeaseTry{.taken = rows.Bool(0, 0), .owner = OwnerAt(rows, 1)};
}

StatusOr<bool> PostgresShardLease::Renew(model::Epoch epoch, base::Duration length) {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  ASSIGN_OR_RETURN(const Rows rows,
                   connection->Run(kRenew, Shard().Int64(epoch.value()).Int64(length.count())));
  return !rows.empty();
}

Status PostgresShardLease::GiveUp(model::Epoch epoch) {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  return connection->Run(kGiveUp, Shard().Int64(epoch.value())).status();
}

StatusOr<ports::ShardOwner> PostgresShardLease::Owner() {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  ASSIGN_OR_RETURN(const Rows rows, connection->Run(kOwner, Shard()));
  return rows.empty() ? ports::ShardOwner{} : OwnerAt(rows, 0);
}

// Without a connection only `Wake` and time end it; the next question connects anew.
void PostgresShardLease::Wait(base::Duration at_most) {
  const bool connected = connection_ != nullptr && !connection_->broken();
  if (connected) {
    // One that came with the last answer makes no descriptor readable.
    const StatusOr<bool> came = connection_->TakeNotifications();
    if (!came.ok() || *came) {
      return;
    }
  }
  pollfd ready[2] = {{wake_, POLLIN, 0}, {connected ? connection_->descriptor() : -1, POLLIN, 0}};
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
  poll(ready, 2, static_cast<int>(std::clamp<std::int64_t>(millis, 0, 3'600'000)));
  if ((ready[0].revents & POLLIN) != 0) {
    std::uint64_t times = 0;
    [[maybe_unused]] const ssize_t taken = read(wake_, &times, sizeof times);
  }
  if (ready[1].revents != 0 && connection_->TakeNotifications().ok()) {
    return;
  }
}

void PostgresShardLease::Wake() {
  const std::uint64_t once = 1;
  [[maybe_unused]] const ssize_t written = write(wake_, &once, sizeof once);
}

}  // namespace

StatusOr<std::unique_ptr<ports::ShardLease>> OpenPostgresShardLease(
    const ShardLeaseOptions& options) {
  auto lease = std::make_unique<PostgresShardLease>(options);
  RETURN_IF_ERROR(lease->Connect().status());
  return std::unique_ptr<ports::ShardLease>(std::move(lease));
}

}  // namespace store::postgres
