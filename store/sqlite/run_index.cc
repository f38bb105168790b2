// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/run_index.h"

#include <utility>

#include "store/codec/history.h"
#include "store/codec/run_prefix.h"
#include "store/sqlite/database.h"
#include "store/sqlite/deployment_table.h"

namespace store::sqlite {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

constexpr const char* kSchema = R"sql(
CREATE TABLE run (
  run INTEGER PRIMARY KEY,
  pipeline BLOB, pipeline_file BLOB, source BLOB, "commit" BLOB, branch BLOB, event BLOB,
  status INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  ended_at INTEGER,            -- NULL: open
  counts BLOB,                 -- jobs per status: 0,0,0,9,…
  folder BLOB,
  owner_pid INTEGER NOT NULL, owner_boot BLOB, owner_start INTEGER NOT NULL
) STRICT;
CREATE TABLE duration (
  pipeline BLOB, pipeline_file BLOB, source BLOB, job BLOB,
  took INTEGER NOT NULL,       -- microseconds
  PRIMARY KEY (pipeline, pipeline_file, source, job)
) STRICT, WITHOUT ROWID;
)sql";

// Beside `deployment`, which came later than the rest.
constexpr const char* kDeployedSchema =
    "CREATE TABLE IF NOT EXISTS deployed (run INTEGER PRIMARY KEY) STRICT";

constexpr const char* kColumns =
    "run, pipeline, pipeline_file, source, \"commit\", branch, event, status, accepted_at, "
    "ended_at, counts, folder, owner_pid, owner_boot, owner_start";

ports::RunRow RowAt(const Statement& row) {
  ports::RunRow out;
  out.run = model::RunId(row.Uint(0));
  out.pipeline = row.Text(1);
  out.pipeline_file = row.Text(2);
  out.source = row.Text(3);
  out.commit = row.Text(4);
  out.branch = row.Text(5);
  out.event = row.Text(6);
  out.status = static_cast<model::Status>(row.Int(7));
  out.accepted_at = base::InstantFromMicros(row.Int(8));
  if (!row.IsNull(9)) {
    out.ended_at = base::InstantFromMicros(row.Int(9));
  }
  out.counts = codec::CountsFrom(row.Bytes(10));
  out.folder = row.Text(11);
  out.owner = {row.Int(12), row.Text(13), row.Uint(14)};
  return out;
}

class SqliteRunIndex : public ports::RunIndex {
 public:
  /// `db` is null when it is read-only and there is no file yet.
  explicit SqliteRunIndex(std::unique_ptr<Database> db) : db_(std::move(db)) {}

  StatusOr<std::vector<ports::RunRow>> ListRuns(const ports::RunFilter& filter) override;
  StatusOr<ports::RunRow> FindRun(std::string_view id_prefix) override;
  StatusOr<std::map<std::string, base::Duration>> KnownDurations(
      const ports::PipelineKey& key) override;
  Status SaveRun(const ports::RunRow& row) override;
  Status SaveDurations(const ports::PipelineKey& key,
                       const std::map<std::string, base::Duration>& durations) override;
  Status SaveDeployments(model::RunId run, std::span<const model::Deployment> deployments) override;
  StatusOr<std::set<model::RunId>> RunsWithDeployments() override;
  Status RemoveRun(model::RunId run) override;
  StatusOr<std::vector<model::Deployment>> ListDeployments(
      const model::DeploymentFilter& filter) override;

 private:
  std::unique_ptr<Database> db_;
};

StatusOr<std::vector<ports::RunRow>> SqliteRunIndex::ListRuns(const ports::RunFilter& filter) {
  std::vector<ports::RunRow> out;
  if (db_ == nullptr) {
    return out;
  }
  ASSIGN_OR_RETURN(
      Statement query,
      db_->Prepare(fmt::format(
          "SELECT {} FROM run WHERE (?1 = x'' OR pipeline = ?1) AND (?2 = x'' OR source = ?2) AND "
          "(?3 = x'' OR branch = ?3) AND (?4 < 0 OR status = ?4) ORDER BY run DESC LIMIT ?5",
          kColumns)));
  query.BindBlob(1, filter.pipeline)
      .BindBlob(2, filter.source)
      .BindBlob(3, filter.branch)
      .Bind(4, filter.status ? static_cast<std::int64_t>(*filter.status) : std::int64_t{-1})
      .Bind(5, std::uint64_t{filter.limit});
  ASSIGN_OR_RETURN(bool more, query.Step());
  while (more) {
    out.push_back(RowAt(query));
    ASSIGN_OR_RETURN(more, query.Step());
  }
  return out;
}

StatusOr<ports::RunRow> SqliteRunIndex::FindRun(std::string_view id_prefix) {
  ASSIGN_OR_RETURN(const codec::RunIdRange range, codec::RangeOfPrefix(id_prefix));
  std::vector<ports::RunRow> found;
  if (db_ == nullptr) {
    return codec::OnlyRun(id_prefix, std::move(found));
  }
  ASSIGN_OR_RETURN(Statement query,
                   db_->Prepare(fmt::format("SELECT {} FROM run WHERE run BETWEEN ? AND ? ORDER BY "
                                            "run DESC LIMIT {}",
                                            kColumns, codec::kCandidatesMax)));
  query.Bind(1, range.first.value()).Bind(2, range.last.value());
  ASSIGN_OR_RETURN(bool more, query.Step());
  while (more) {
    found.push_back(RowAt(query));
    ASSIGN_OR_RETURN(more, query.Step());
  }
  return codec::OnlyRun(id_prefix, std::move(found));
}

StatusOr<std::map<std::string, base::Duration>> SqliteRunIndex::KnownDurations(
    const ports::PipelineKey& key) {
  std::map<std::string, base::Duration> out;
  if (db_ == nullptr) {
    return out;
  }
  ASSIGN_OR_RETURN(Statement query,
                   db_->Prepare("SELECT job, took FROM duration WHERE pipeline=? AND "
                                "pipeline_file=? AND source=?"));
  query.BindBlob(1, key.pipeline).BindBlob(2, key.pipeline_file).BindBlob(3, key.source);
  ASSIGN_OR_RETURN(bool more, query.Step());
  while (more) {
    out[query.Text(0)] = base::Duration(query.Int(1));
    ASSIGN_OR_RETURN(more, query.Step());
  }
  return out;
}

Status SqliteRunIndex::SaveRun(const ports::RunRow& row) {
  ASSIGN_OR_RETURN(
      Statement save,
      db_->Prepare("INSERT OR REPLACE INTO run VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  const std::string counts = codec::TextOf(row.counts);
  save.Bind(1, row.run.value())
      .BindBlob(2, row.pipeline)
      .BindBlob(3, row.pipeline_file)
      .BindBlob(4, row.source)
      .BindBlob(5, row.commit)
      .BindBlob(6, row.branch)
      .BindBlob(7, row.event)
      .Bind(8, static_cast<std::int64_t>(row.status))
      .Bind(9, base::ToMicros(row.accepted_at));
  if (row.ended_at) {
    save.Bind(10, base::ToMicros(*row.ended_at));
  }
  save.BindBlob(11, counts)
      .BindBlob(12, row.folder)
      .Bind(13, row.owner.pid)
      .BindBlob(14, row.owner.boot_id)
      .Bind(15, row.owner.start_ticks);
  return save.Run();
}

Status SqliteRunIndex::SaveDurations(const ports::PipelineKey& key,
                                     const std::map<std::string, base::Duration>& durations) {
  ASSIGN_OR_RETURN(Statement save,
                   db_->Prepare("INSERT OR REPLACE INTO duration VALUES (?,?,?,?,?)"));
  Transaction transaction(*db_);
  RETURN_IF_ERROR(transaction.Begin("IMMEDIATE"));
  for (const auto& [job, took] : durations) {
    save.BindBlob(1, key.pipeline)
        .BindBlob(2, key.pipeline_file)
        .BindBlob(3, key.source)
        .BindBlob(4, job)
        .Bind(5, took.count());
    RETURN_IF_ERROR(save.Run());
  }
  return transaction.Commit();
}

Status SqliteRunIndex::SaveDeployments(model::RunId run,
                                       std::span<const model::Deployment> deployments) {
  ASSIGN_OR_RETURN(Statement forget, db_->Prepare("DELETE FROM deployment WHERE run=?"));
  ASSIGN_OR_RETURN(Statement save, PrepareSave(*db_, kIndexedDeployments));
  ASSIGN_OR_RETURN(Statement mark, db_->Prepare("INSERT OR IGNORE INTO deployed VALUES (?)"));
  Transaction transaction(*db_);
  RETURN_IF_ERROR(transaction.Begin("IMMEDIATE"));
  RETURN_IF_ERROR(forget.Bind(1, run.value()).Run());
  for (const model::Deployment& deployment : deployments) {
    Bind(save, deployment);
    RETURN_IF_ERROR(save.Run());
  }
  RETURN_IF_ERROR(mark.Bind(1, run.value()).Run());
  return transaction.Commit();
}

StatusOr<std::set<model::RunId>> SqliteRunIndex::RunsWithDeployments() {
  std::set<model::RunId> out;
  if (db_ == nullptr) {
    return out;
  }
  // An index from before there were deployments, that is only read.
  ASSIGN_OR_RETURN(Statement known,
                   db_->Prepare("SELECT 1 FROM sqlite_schema WHERE name='deployed'"));
  ASSIGN_OR_RETURN(const bool is_there, known.Step());
  if (!is_there) {
    return out;
  }
  ASSIGN_OR_RETURN(Statement query, db_->Prepare("SELECT run FROM deployed"));
  ASSIGN_OR_RETURN(bool more, query.Step());
  while (more) {
    out.insert(model::RunId(query.Uint(0)));
    ASSIGN_OR_RETURN(more, query.Step());
  }
  return out;
}

// What was kept of runs that are gone, and has been replaced since, goes along.
Status SqliteRunIndex::RemoveRun(model::RunId run) {
  ASSIGN_OR_RETURN(Statement remove, db_->Prepare("DELETE FROM run WHERE run=?"));
  ASSIGN_OR_RETURN(Statement unmark, db_->Prepare("DELETE FROM deployed WHERE run=?"));
  ASSIGN_OR_RETURN(
      Statement forget,
      db_->Prepare("DELETE FROM deployment AS d WHERE run NOT IN (SELECT run FROM run) AND "
                   "(d.status <> ?1 OR EXISTS (SELECT 1 FROM deployment AS n WHERE n.status = ?1 "
                   "AND n.environment = d.environment AND n.source = d.source "
                   "AND (n.ended_at, n.run, n.job) > (d.ended_at, d.run, d.job)))"));
  Transaction transaction(*db_);
  RETURN_IF_ERROR(transaction.Begin("IMMEDIATE"));
  RETURN_IF_ERROR(remove.Bind(1, run.value()).Run());
  RETURN_IF_ERROR(unmark.Bind(1, run.value()).Run());
  RETURN_IF_ERROR(forget.Bind(1, static_cast<std::int64_t>(model::Status::kSucceeded)).Run());
  return transaction.Commit();
}

StatusOr<std::vector<model::Deployment>> SqliteRunIndex::ListDeployments(
    const model::DeploymentFilter& filter) {
  if (db_ == nullptr) {
    return std::vector<model::Deployment>();
  }
  ASSIGN_OR_RETURN(std::vector<model::Deployment> known,
                   ReadDeployments(*db_, kIndexedDeployments, filter.environment));
  return model::SelectDeployments(std::move(known), filter);
}

}  // namespace

StatusOr<std::unique_ptr<ports::RunIndex>> OpenRunIndex(const std::string& path,
                                                        const RunIndexOptions& options) {
  StatusOr<std::unique_ptr<Database>> db = Database::Open(
      path, {.read_only = options.read_only, .busy_timeout_ms = options.busy_timeout_ms});
  const Status status =
      !db.ok() ? db.status()
               : PrepareSchema(**db, options.read_only, kRunIndexVersion, kSchema, "index of runs");
  if (options.read_only && status.code() == absl::StatusCode::kNotFound) {
    return std::make_unique<SqliteRunIndex>(nullptr);
  }
  RETURN_IF_ERROR(status);
  // The index may be behind after a power cut: the truth of a run is its own log.
  RETURN_IF_ERROR((*db)->Execute("PRAGMA synchronous=NORMAL"));
  if (!options.read_only) {
    RETURN_IF_ERROR(MakeTable(**db, kIndexedDeployments));
    RETURN_IF_ERROR((*db)->Execute(kDeployedSchema));
  }
  return std::make_unique<SqliteRunIndex>(*std::move(db));
}

}  // namespace store::sqlite
