// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_run_history.h"

#include <algorithm>
#include <utility>

#include "store/codec/fact_codec.h"
#include "store/codec/history.h"
#include "store/codec/plan_codec.h"
#include "store/codec/run_prefix.h"
#include "store/postgres/connection.h"
#include "store/postgres/deployment_rows.h"
#include "store/postgres/migrate.h"
#include "store/postgres/plan_reader.h"

namespace store::postgres {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::StatusOr;

// The acceptance of a run, its end where it has one, and the plan that knows the pipeline's name.
#define DAYFLY_RUNS                                                                         \
  "SELECT a.run, p.name, a.pipeline_file, a.source, a.\"commit\", a.branch, a.event, a.at," \
  " e.at, e.status, array_to_string(e.counts, ',')"                                         \
  " FROM dayfly.run_history a"                                                              \
  " LEFT JOIN dayfly.plan p ON p.digest = a.plan"                                           \
  " LEFT JOIN dayfly.run_history e ON e.day = a.day AND e.run = a.run AND e.ended"          \
  " WHERE NOT a.ended"
// Partitions are of days, so this order begins with the newest and stops early.
#define DAYFLY_NEWEST_FIRST " ORDER BY a.day DESC, a.run DESC LIMIT "

constexpr Statement kList = {
    "list_runs", DAYFLY_RUNS
    " AND ($1::bytea = '' OR p.name = $1::bytea) AND ($2::bytea = '' OR a.source = $2::bytea)"
    " AND ($3::bytea = '' OR a.branch = $3::bytea)"
    " AND ($4::int < 0 OR coalesce(e.status, 2) = $4::int)" DAYFLY_NEWEST_FIRST "$5::bigint"};
static_assert(static_cast<int>(model::Status::kRunning) == 2);

constexpr Statement kFind = {"find_runs", DAYFLY_RUNS
                             " AND a.day BETWEEN $1::int AND $2::int AND a.run BETWEEN $3::bigint "
                             "AND $4::bigint" DAYFLY_NEWEST_FIRST "$5::bigint"};
#undef DAYFLY_RUNS
#undef DAYFLY_NEWEST_FIRST

constexpr Statement kJobs = {
    "jobs_of",
    "SELECT job, status, reason, detail, until, subject, at, attempt, took"
    " FROM dayfly.job_history WHERE day = $1::int AND run = $2::bigint ORDER BY job"};

constexpr Statement kFindKey = {
    "find_key",
    "SELECT k.run, l.bytes FROM dayfly.idempotency_key k"
    " JOIN dayfly.log l ON l.shard = k.shard AND l.seq = k.seq AND l.day = k.day"
    " WHERE k.shard = $1::bigint AND k.key = $2::bytea"};

// What the last runs took; older ones tell little, and there may be very many.
constexpr Statement kDurations = {
    "known_durations",
    "WITH recent AS ("
    " SELECT a.day, a.run, a.plan FROM dayfly.run_history a"
    " JOIN dayfly.plan p ON p.digest = a.plan"
    " WHERE NOT a.ended AND p.name = $1::bytea"
    "  AND coalesce(a.pipeline_file, '') = $2::bytea AND coalesce(a.source, '') = $3::bytea"
    " ORDER BY a.day DESC, a.run DESC LIMIT 10"
    ") SELECT r.plan, j.job, j.took FROM recent r"
    " JOIN dayfly.job_history j ON j.day = r.day AND j.run = r.run"
    " WHERE j.status = 3 AND j.attempt > 0 ORDER BY j.at DESC"};
static_assert(static_cast<int>(model::Status::kSucceeded) == 3);

std::int32_t DayOf(model::RunId run) {
  return static_cast<std::int32_t>(codec::DayOf({run, {}}));
}

ports::RunRow RunAt(const Rows& rows, std::size_t at) {
  ports::RunRow out;
  out.run = model::RunId(rows.Uint(at, 0));
  out.pipeline = rows.Bytes(at, 1);
  out.pipeline_file = rows.Bytes(at, 2);
  out.source = rows.Bytes(at, 3);
  out.commit = rows.Bytes(at, 4);
  out.branch = rows.Bytes(at, 5);
  out.event = rows.Bytes(at, 6);
  out.accepted_at = base::InstantFromMicros(rows.Int(at, 7));
  if (!rows.IsNull(at, 8)) {
    out.ended_at = base::InstantFromMicros(rows.Int(at, 8));
    out.status = static_cast<model::Status>(rows.Int(at, 9));
    out.counts = codec::CountsFrom(rows.Text(at, 10));
  }
  return out;
}

std::vector<ports::RunRow> RunsOf(const Rows& rows) {
  std::vector<ports::RunRow> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back(RunAt(rows, i));
  }
  return out;
}

ports::JobRow JobAt(const Rows& rows, std::size_t at) {
  ports::JobRow out;
  out.job = model::JobIndex(static_cast<std::uint32_t>(rows.Int(at, 0)));
  out.status = static_cast<model::Status>(rows.Int(at, 1));
  out.reason = {static_cast<model::ReasonCode>(rows.Int(at, 2)), rows.Int(at, 3),
                base::InstantFromMicros(rows.Int(at, 4)), rows.Bytes(at, 5)};
  out.at = base::InstantFromMicros(rows.Int(at, 6));
  out.attempt = static_cast<model::AttemptNumber>(rows.Int(at, 7));
  out.took = base::Duration(rows.Int(at, 8));
  return out;
}

class PostgresRunHistory : public ports::RunHistory {
 public:
  explicit PostgresRunHistory(const RunHistoryOptions& options) : options_(options) {}

  StatusOr<std::vector<ports::RunRow>> ListRuns(const ports::RunFilter& filter) override;
  StatusOr<ports::RunRow> FindRun(std::string_view id_prefix) override;
  StatusOr<std::map<std::string, base::Duration>> KnownDurations(
      const ports::PipelineKey& key) override;
  StatusOr<std::optional<model::RunAccepted>> FindKey(std::string_view idempotency_key) override;
  StatusOr<std::vector<ports::JobRow>> JobsOf(model::RunId run) override;
  StatusOr<std::vector<model::Deployment>> ListDeployments(
      const model::DeploymentFilter& filter) override;

  StatusOr<Connection*> Connect();

 private:
  RunHistoryOptions options_;
  std::unique_ptr<Connection> connection_;
};

StatusOr<Connection*> PostgresRunHistory::Connect() {
  if (connection_ == nullptr || connection_->broken()) {
    connection_.reset();
    ASSIGN_OR_RETURN(connection_, OpenMigrated({.conninfo = options_.conninfo,
                                                .statement_timeout = options_.patience}));
  }
  return connection_.get();
}

StatusOr<std::vector<ports::RunRow>> PostgresRunHistory::ListRuns(const ports::RunFilter& filter) {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  const int status = filter.status ? static_cast<int>(*filter.status) : -1;
  const std::uint64_t limit = std::min<std::uint64_t>(filter.limit, 1'000'000);
  ASSIGN_OR_RETURN(const Rows rows, connection->Run(kList, Parameters()
                                                               .Bytes(filter.pipeline)
                                                               .Bytes(filter.source)
                                                               .Bytes(filter.branch)
                                                               .Int32(status)
                                                               .Int64(limit)));
  return RunsOf(rows);
}

StatusOr<ports::RunRow> PostgresRunHistory::FindRun(std::string_view id_prefix) {
  ASSIGN_OR_RETURN(const codec::RunIdRange range, codec::RangeOfPrefix(id_prefix));
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  ASSIGN_OR_RETURN(const Rows rows,
                   connection->Run(kFind, Parameters()
                                              .Int32(DayOf(range.first))
                                              .Int32(DayOf(range.last))
                                              .Int64(range.first.value())
                                              .Int64(range.last.value())
                                              .Int64(std::int64_t{codec::kCandidatesMax})));
  return codec::OnlyRun(id_prefix, RunsOf(rows));
}

StatusOr<std::map<std::string, base::Duration>> PostgresRunHistory::KnownDurations(
    const ports::PipelineKey& key) {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  ASSIGN_OR_RETURN(
      const Rows rows,
      connection->Run(kDurations,
                      Parameters().Bytes(key.pipeline).Bytes(key.pipeline_file).Bytes(key.source)));
  std::map<std::string, base::Duration> out;
  std::map<std::string, model::PlanRef> plans;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string digest = rows.Bytes(i, 0);
    model::PlanRef& plan = plans[digest];
    if (plan == nullptr) {
      ASSIGN_OR_RETURN(plan, ReadPlan(*connection, codec::DigestFrom(digest)));
    }
    const auto job = static_cast<std::size_t>(rows.Int(i, 1));
    if (job < plan->jobs.size()) {
      // The newest come first, and what is there stays.
      out.emplace(plan->specs[AsIndex(plan->jobs[job].spec)].name, base::Duration(rows.Int(i, 2)));
    }
  }
  return out;
}

StatusOr<std::optional<model::RunAccepted>> PostgresRunHistory::FindKey(
    std::string_view idempotency_key) {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  ASSIGN_OR_RETURN(
      const Rows rows,
      connection->Run(kFindKey, Parameters().Int64(options_.shard.value()).Bytes(idempotency_key)));
  if (rows.empty()) {
    return std::optional<model::RunAccepted>();
  }
  ASSIGN_OR_RETURN(const std::vector<model::Fact> facts, codec::DecodeFacts(rows.Bytes(0, 1)));
  for (const model::Fact& fact : facts) {
    const auto* accepted = std::get_if<model::RunAccepted>(&fact.body);
    if (accepted != nullptr && accepted->idempotency_key == idempotency_key) {
      return std::optional(*accepted);
    }
  }
  return base::DataLoss("{}: run {} is not where its idempotency key says", connection->name(),
                        ToText(model::RunId(rows.Uint(0, 0))));
}

StatusOr<std::vector<ports::JobRow>> PostgresRunHistory::JobsOf(model::RunId run) {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  ASSIGN_OR_RETURN(const Rows rows,
                   connection->Run(kJobs, Parameters().Int32(DayOf(run)).Int64(run.value())));
  std::vector<ports::JobRow> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back(JobAt(rows, i));
  }
  return out;
}

StatusOr<std::vector<model::Deployment>> PostgresRunHistory::ListDeployments(
    const model::DeploymentFilter& filter) {
  ASSIGN_OR_RETURN(Connection * connection, Connect());
  Transaction moment(*connection);
  RETURN_IF_ERROR(moment.BeginSnapshot());
  ASSIGN_OR_RETURN(std::vector<model::Deployment> found, ReadDeployments(*connection, filter));
  RETURN_IF_ERROR(moment.Commit());
  return found;
}

}  // namespace

StatusOr<std::unique_ptr<ports::RunHistory>> OpenPostgresRunHistory(
    const RunHistoryOptions& options) {
  auto history = std::make_unique<PostgresRunHistory>(options);
  RETURN_IF_ERROR(history->Connect().status());
  return std::unique_ptr<ports::RunHistory>(std::move(history));
}

}  // namespace store::postgres
