// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/deployment_table.h"

#include <optional>

#include <fmt/format.h>

namespace store::sqlite {
namespace {

namespace model = engine::model;
using base::Status;
using base::StatusOr;

// Instants that there are not are 0.
constexpr const char* kColumns =
    "environment BLOB, source BLOB, run INTEGER NOT NULL, job INTEGER NOT NULL, job_name BLOB, "
    "url BLOB, pipeline BLOB, \"commit\" BLOB, branch BLOB, event BLOB, \"by\" BLOB, "
    "status INTEGER NOT NULL, reason INTEGER NOT NULL, detail INTEGER NOT NULL, "
    "until INTEGER NOT NULL, subject BLOB, "
    "queued_at INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL";
constexpr const char* kParameters =
    "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19";

std::int64_t Micros(const std::optional<base::Instant>& at) {
  return at ? base::ToMicros(*at) : 0;
}

std::optional<base::Instant> InstantAt(const Statement& row, int column) {
  const std::int64_t micros = row.Int(column);
  return micros == 0 ? std::optional<base::Instant>()
                     : std::optional(base::InstantFromMicros(micros));
}

model::Deployment DeploymentAt(const Statement& row) {
  model::Deployment out;
  out.environment = row.Text(0);
  out.source = row.Text(1);
  out.run = model::RunId(row.Uint(2));
  out.job = model::JobIndex(static_cast<std::uint32_t>(row.Int(3)));
  out.job_name = row.Text(4);
  out.url = row.Text(5);
  out.pipeline = row.Text(6);
  out.commit = row.Text(7);
  out.branch = row.Text(8);
  out.event = row.Text(9);
  out.by = row.Text(10);
  out.status = static_cast<model::Status>(row.Int(11));
  out.reason = {static_cast<model::ReasonCode>(row.Int(12)), row.Int(13),
                base::InstantFromMicros(row.Int(14)), row.Text(15)};
  out.queued_at = base::InstantFromMicros(row.Int(16));
  out.started_at = InstantAt(row, 17);
  out.ended_at = InstantAt(row, 18);
  return out;
}

StatusOr<bool> Exists(Database& db, const DeploymentTable& table) {
  ASSIGN_OR_RETURN(Statement query,
                   db.Prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?"));
  query.BindText(1, table.name);
  return query.Step();
}

}  // namespace

Status MakeTable(Database& db, const DeploymentTable& table) {
  return db.Execute(fmt::format("CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY ({})) STRICT",
                                table.name, kColumns, table.key)
                        .c_str());
}

StatusOr<std::vector<model::Deployment>> ReadDeployments(Database& db, const DeploymentTable& table,
                                                         const std::string& environment) {
  std::vector<model::Deployment> out;
  ASSIGN_OR_RETURN(const bool exists, Exists(db, table));
  if (!exists) {
    return out;
  }
  ASSIGN_OR_RETURN(
      Statement query,
      db.Prepare(fmt::format("SELECT * FROM {} WHERE ?1 = x'' OR environment = ?1", table.name)));
  query.BindBlob(1, environment);
  ASSIGN_OR_RETURN(bool more, query.Step());
  while (more) {
    out.push_back(DeploymentAt(query));
    ASSIGN_OR_RETURN(more, query.Step());
  }
  return out;
}

StatusOr<Statement> PrepareSave(Database& db, const DeploymentTable& table) {
  return db.Prepare(fmt::format("INSERT OR REPLACE INTO {} VALUES ({})", table.name, kParameters));
}

StatusOr<Statement> PrepareSaveIfNewer(Database& db, const DeploymentTable& table) {
  return db.Prepare(
      fmt::format("INSERT OR REPLACE INTO {0} SELECT {1} WHERE NOT EXISTS (SELECT 1 FROM {0} "
                  "WHERE environment = ?1 AND source = ?2 AND ended_at > ?19)",
                  table.name, kParameters));
}

void Bind(Statement& save, const model::Deployment& deployment) {
  save.BindBlob(1, deployment.environment)
      .BindBlob(2, deployment.source)
      .Bind(3, deployment.run.value())
      .Bind(4, std::int64_t{deployment.job.value()})
      .BindBlob(5, deployment.job_name)
      .BindBlob(6, deployment.url)
      .BindBlob(7, deployment.pipeline)
      .BindBlob(8, deployment.commit)
      .BindBlob(9, deployment.branch)
      .BindBlob(10, deployment.event)
      .BindBlob(11, deployment.by)
      .Bind(12, static_cast<std::int64_t>(deployment.status))
      .Bind(13, static_cast<std::int64_t>(deployment.reason.code))
      .Bind(14, deployment.reason.detail)
      .Bind(15, base::ToMicros(deployment.reason.until))
      .BindBlob(16, deployment.reason.subject)
      .Bind(17, base::ToMicros(deployment.queued_at))
      .Bind(18, Micros(deployment.started_at))
      .Bind(19, Micros(deployment.ended_at));
}

}  // namespace store::sqlite
