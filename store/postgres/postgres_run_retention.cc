// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_run_retention.h"

#include <string_view>
#include <utility>

#include "store/codec/history.h"
#include "store/postgres/connection.h"
#include "store/postgres/deployment_rows.h"
#include "store/postgres/migrate.h"

namespace store::postgres {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

constexpr Statement kDays = {"old_days",
                             "SELECT d FROM dayfly.days() AS d WHERE d < $1::bigint ORDER BY d"};
constexpr Statement kDropDay = {"drop_day", "SELECT dayfly.drop_day($1::int)"};
constexpr Statement kDropPlans = {"drop_plans", "SELECT dayfly.drop_plans()"};

constexpr std::string_view kLockNotAvailable = "55P03";

class PostgresRunRetention final : public ports::RunRetention {
 public:
  explicit PostgresRunRetention(RunRetentionOptions options) : options_(std::move(options)) {}

  StatusOr<ports::DroppedDays> DropDays(std::int64_t before,
                                        std::span<const model::RunId> open) override {
    RETURN_IF_ERROR(Connect());
    std::set<std::int64_t> wanted;
    for (const model::RunId run : open) {
      wanted.insert(codec::DayOf({.run = run, .facts = {}}));
    }
    ASSIGN_OR_RETURN(const Rows days, connection_->Run(kDays, Parameters().Int64(before)));
    ports::DroppedDays out;
    for (std::size_t i = 0; i < days.size(); ++i) {
      const std::int64_t day = days.Int(i, 0);
      bool dropped = false;
      if (!wanted.contains(day)) {
        ASSIGN_OR_RETURN(dropped, Drop(day));
      }
      dropped ? void(++out.dropped) : void(out.kept.insert(day));
    }
    if (out.dropped > 0) {
      RETURN_IF_ERROR(PassOver(connection_->Run(kDropPlans).status()));
    }
    return out;
  }

 private:
  Status Connect() {
    if (connection_ == nullptr || connection_->broken()) {
      ASSIGN_OR_RETURN(connection_, OpenMigrated({.conninfo = options_.conninfo,
                                                  .network_timeout = options_.network_timeout}));
    }
    return base::OkStatus();
  }

  /// All at once: what its environments still have is kept when, and only when, it goes.
  StatusOr<bool> Drop(std::int64_t day) {
    const auto number = static_cast<std::int32_t>(day);
    Transaction transaction(*connection_);
    RETURN_IF_ERROR(transaction.Begin());
    ASSIGN_OR_RETURN(const std::vector<model::Deployment> leaving,
                     ReadSuccessesOf(*connection_, number));
    const auto dropped = connection_->Run(kDropDay, Parameters().Int32(number));
    RETURN_IF_ERROR(PassOver(dropped.status()));
    if (!dropped.ok() || !dropped->Bool(0, 0)) {
      return false;
    }
    for (const model::Deployment& deployment : leaving) {
      RETURN_IF_ERROR(KeepDeployment(*connection_, deployment));
    }
    RETURN_IF_ERROR(transaction.Commit());
    return true;
  }

  /// Somebody has the tables: another time.
  Status PassOver(const Status& status) const {
    const bool is_locked = !status.ok() && connection_->sql_state() == kLockNotAvailable;
    return is_locked ? base::OkStatus() : status;
  }

  const RunRetentionOptions options_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

std::unique_ptr<ports::RunRetention> MakePostgresRunRetention(RunRetentionOptions options) {
  return std::make_unique<PostgresRunRetention>(std::move(options));
}

}  // namespace store::postgres
