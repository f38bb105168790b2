// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/deployment_rows.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "engine/model/expand.h"
#include "store/codec/plan_codec.h"
#include "store/postgres/log_reader.h"
#include "store/postgres/plan_reader.h"

namespace store::postgres {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

static_assert(static_cast<int>(model::Status::kWaiting) == 0);
static_assert(static_cast<int>(model::Status::kSucceeded) == 3);

// The claim, the acceptance of its run, and the job's end where it has one. The name of the job
// stands in the plan, or in the log.
#define DAYFLY_DEPLOYMENTS                                                            \
  "SELECT d.environment, coalesce(a.source, '') AS source, d.run, d.job, d.url,"      \
  " p.name AS pipeline, a.\"commit\", a.branch, a.event, a.\"by\","                   \
  " coalesce(j.status, 0)::int AS status, j.reason, j.detail, j.until, j.subject,"    \
  " d.at AS queued_at, CASE WHEN j.attempt > 0 AND j.took > 0 THEN j.at - j.took END" \
  " AS started_at, j.at AS ended_at, NULL::bytea AS job_name, a.plan, d.shard"        \
  " FROM dayfly.deployment d"                                                         \
  " JOIN dayfly.run_history a ON a.day = d.day AND a.run = d.run AND NOT a.ended"     \
  " LEFT JOIN dayfly.plan p ON p.digest = a.plan"                                     \
  " LEFT JOIN dayfly.job_history j ON j.day = d.day AND j.run = d.run AND j.job = d.job"

// As `model::SelectDeployments` orders and marks them. `newest_…` are of the place's newest.
#define DAYFLY_RANKED                                                                          \
  "WITH known AS (" DAYFLY_DEPLOYMENTS                                                         \
  " WHERE $1::bytea = '' OR d.environment = $1::bytea"                                         \
  " UNION ALL SELECT environment, source, run, job, url, pipeline, \"commit\", branch, event," \
  " \"by\", 3, NULL, NULL, NULL, NULL, queued_at, started_at, ended_at, job_name, NULL, 0"     \
  " FROM dayfly.kept_deployment WHERE $1::bytea = '' OR environment = $1::bytea"               \
  "), ranked AS (SELECT known.*,"                                                              \
  " status = 3 AND row_number() OVER (PARTITION BY environment, source, status = 3"            \
  "  ORDER BY ended_at DESC, run DESC, job DESC) = 1 AS is_current,"                           \
  " row_number() OVER newest AS age, first_value(queued_at) OVER newest AS newest_at,"         \
  " first_value(run) OVER newest AS newest_run, first_value(job) OVER newest AS newest_job"    \
  " FROM known WINDOW newest AS (PARTITION BY environment, source"                             \
  "  ORDER BY queued_at DESC, run DESC, job DESC))"

constexpr Statement kList = {"list_deployments", DAYFLY_RANKED
                             " SELECT * FROM ranked ORDER BY queued_at DESC, run DESC, job DESC"
                             " LIMIT $2::bigint"};

constexpr Statement kOverview = {
    "list_environments", DAYFLY_RANKED
    ", placed AS (SELECT *, dense_rank() OVER"
    " (ORDER BY newest_at DESC, newest_run DESC, newest_job DESC) AS place FROM ranked)"
    " SELECT * FROM placed WHERE place <= $2::bigint AND (age = 1 OR is_current)"
    " ORDER BY place, age"};

constexpr Statement kSuccesses = {
    "deployments_of_day", "SELECT DISTINCT ON (environment, source) * FROM (" DAYFLY_DEPLOYMENTS
                          " WHERE d.day = $1::int AND j.status = 3) AS s"
                          " ORDER BY environment, source, ended_at DESC, run DESC, job DESC"};
#undef DAYFLY_RANKED
#undef DAYFLY_DEPLOYMENTS

enum ColumnOf : int {
  kEnvironment,
  kSource,
  kRun,
  kJob,
  kUrl,
  kPipeline,
  kCommit,
  kBranch,
  kEvent,
  kBy,
  kStatus,
  kReason,
  kDetail,
  kUntil,
  kSubject,
  kQueuedAt,
  kStartedAt,
  kEndedAt,
  kJobName,
  kPlan,
  kShard,
  kIsCurrent,  ///< of lists only
};

constexpr Statement kForgetOlder = {
    "forget_kept_deployment",
    "DELETE FROM dayfly.kept_deployment WHERE environment = $1::bytea AND source = $2::bytea"
    " AND ended_at <= $3::bigint"};
constexpr Statement kKeep = {
    "keep_deployment",
    "INSERT INTO dayfly.kept_deployment (environment, source, run, job, job_name, url, pipeline,"
    " \"commit\", branch, event, \"by\", queued_at, started_at, ended_at)"
    " VALUES ($1::bytea, $2::bytea, $3::bigint, $4::int, $5::bytea, $6::bytea, $7::bytea,"
    " $8::bytea, $9::bytea, $10::bytea, $11::bytea, $12::bigint, nullif($13::bigint, 0),"
    " $14::bigint) ON CONFLICT DO NOTHING"};

std::optional<base::Instant> InstantAt(const Rows& rows, std::size_t at, int column) {
  return rows.IsNull(at, column) ? std::optional<base::Instant>()
                                 : std::optional(base::InstantFromMicros(rows.Int(at, column)));
}

model::Deployment DeploymentAt(const Rows& rows, std::size_t at) {
  model::Deployment out;
  out.environment = rows.Bytes(at, kEnvironment);
  out.source = rows.Bytes(at, kSource);
  out.run = model::RunId(rows.Uint(at, kRun));
  out.job = model::JobIndex(static_cast<std::uint32_t>(rows.Int(at, kJob)));
  out.job_name = rows.Bytes(at, kJobName);
  out.url = rows.Bytes(at, kUrl);
  out.pipeline = rows.Bytes(at, kPipeline);
  out.commit = rows.Bytes(at, kCommit);
  out.branch = rows.Bytes(at, kBranch);
  out.event = rows.Bytes(at, kEvent);
  out.by = rows.Bytes(at, kBy);
  out.status = static_cast<model::Status>(rows.Int(at, kStatus));
  out.reason = {static_cast<model::ReasonCode>(rows.Int(at, kReason)), rows.Int(at, kDetail),
                base::InstantFromMicros(rows.Int(at, kUntil)), rows.Bytes(at, kSubject)};
  out.queued_at = base::InstantFromMicros(rows.Int(at, kQueuedAt));
  out.started_at = InstantAt(rows, at, kStartedAt);
  out.ended_at = InstantAt(rows, at, kEndedAt);
  return out;
}

/// Names jobs by the plans of their runs, as far as those have grown.
class JobNames {
 public:
  explicit JobNames(Connection& connection) : connection_(connection) {}

  StatusOr<std::string> Of(const Rows& rows, std::size_t at, const model::Deployment& deployment) {
    const std::string digest = rows.Bytes(at, kPlan);
    model::PlanRef& plan = plans_[digest];
    if (plan == nullptr) {
      ASSIGN_OR_RETURN(plan, ReadPlan(connection_, codec::DigestFrom(digest)));
    }
    if (IsWritten(*plan, deployment.job)) {
      return model::JobName(*plan, deployment.job);
    }
    model::PlanRef& grown = grown_[deployment.run];
    if (grown == nullptr) {
      ASSIGN_OR_RETURN(grown, Grow(plan, deployment.run, model::ShardId(rows.Uint(at, kShard))));
    }
    return model::JobName(*grown, deployment.job);
  }

 private:
  static bool IsWritten(const model::Plan& plan, model::JobIndex job) {
    return job.value() < plan.jobs.size() && !model::AwaitsValues(plan, model::SpecOf(plan, job));
  }

  StatusOr<model::PlanRef> Grow(model::PlanRef plan, model::RunId run, model::ShardId shard) {
    RETURN_IF_ERROR(ReadLogOf(connection_, shard, {&run, 1}, [&](const ports::FactRow& row) {
      for (const model::Fact& fact : row.facts) {
        if (const auto* expanded = std::get_if<model::JobsExpanded>(&fact.body)) {
          plan = model::Expand(*plan, expanded->expansion);
        }
      }
      return true;
    }));
    return plan;
  }

  Connection& connection_;
  std::map<std::string, model::PlanRef> plans_;
  std::map<model::RunId, model::PlanRef> grown_;
};

StatusOr<std::vector<model::Deployment>> DeploymentsOf(Connection& connection, const Rows& rows) {
  JobNames names(connection);
  std::vector<model::Deployment> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    model::Deployment deployment = DeploymentAt(rows, i);
    if (rows.IsNull(i, kJobName)) {
      ASSIGN_OR_RETURN(deployment.job_name, names.Of(rows, i, deployment));
    }
    out.push_back(std::move(deployment));
  }
  return out;
}

}  // namespace

StatusOr<std::vector<model::Deployment>> ReadDeployments(Connection& connection,
                                                         const model::DeploymentFilter& filter) {
  const std::uint64_t limit = std::min<std::uint64_t>(filter.limit, 1'000'000);
  ASSIGN_OR_RETURN(const Rows rows,
                   connection.Run(filter.is_overview ? kOverview : kList,
                                  Parameters().Bytes(filter.environment).Int64(limit)));
  ASSIGN_OR_RETURN(std::vector<model::Deployment> out, DeploymentsOf(connection, rows));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].is_current = rows.Bool(i, kIsCurrent);
  }
  return out;
}

StatusOr<std::vector<model::Deployment>> ReadSuccessesOf(Connection& connection, std::int32_t day) {
  ASSIGN_OR_RETURN(const Rows rows, connection.Run(kSuccesses, Parameters().Int32(day)));
  return DeploymentsOf(connection, rows);
}

Status KeepDeployment(Connection& connection, const model::Deployment& deployment) {
  RETURN_IF_ERROR(connection
                      .Run(kForgetOlder, Parameters()
                                             .Bytes(deployment.environment)
                                             .Bytes(deployment.source)
                                             .Int64(base::ToMicros(*deployment.ended_at)))
                      .status());
  return connection
      .Run(kKeep, Parameters()
                      .Bytes(deployment.environment)
                      .Bytes(deployment.source)
                      .Int64(deployment.run.value())
                      .Int32(static_cast<std::int32_t>(deployment.job.value()))
                      .Bytes(deployment.job_name)
                      .Bytes(deployment.url)
                      .Bytes(deployment.pipeline)
                      .Bytes(deployment.commit)
                      .Bytes(deployment.branch)
                      .Bytes(deployment.event)
                      .Bytes(deployment.by)
                      .Int64(base::ToMicros(deployment.queued_at))
                      .Int64(deployment.started_at ? base::ToMicros(*deployment.started_at)
                                                   : std::int64_t{0})
                      .Int64(base::ToMicros(*deployment.ended_at)))
      .status();
}

}  // namespace store::postgres
