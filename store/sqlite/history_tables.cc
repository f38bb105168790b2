// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/history_tables.h"

#include "store/codec/plan_codec.h"

namespace store::sqlite {
namespace {

namespace model = engine::model;
using base::Status;
using base::StatusOr;

void BindReason(Statement& statement, int first, const model::Reason& reason) {
  statement.Bind(first, static_cast<std::int64_t>(reason.code))
      .Bind(first + 1, reason.detail)
      .Bind(first + 2, base::ToMicros(reason.until))
      .BindBlob(first + 3, reason.subject);
}

model::Reason ReasonAt(const Statement& statement, int first) {
  return {static_cast<model::ReasonCode>(statement.Int(first)), statement.Int(first + 1),
          base::InstantFromMicros(statement.Int(first + 2)), statement.Text(first + 3)};
}

codec::RunHistoryRow RunRowAt(const Statement& row) {
  codec::RunHistoryRow out;
  out.run = model::RunId(row.Uint(0));
  out.ended = row.Int(1) != 0;
  out.at = base::InstantFromMicros(row.Int(2));
  out.plan = codec::DigestFrom(row.Bytes(3));
  out.pipeline_file = row.Text(4);
  out.source = row.Text(5);
  out.commit = row.Text(6);
  out.branch = row.Text(7);
  out.event = row.Text(8);
  out.by = row.Text(9);
  out.status = static_cast<model::Status>(row.Int(10));
  out.reason = ReasonAt(row, 11);
  out.counts = codec::CountsFrom(row.Bytes(15));
  return out;
}

codec::JobHistoryRow JobRowAt(const Statement& row) {
  codec::JobHistoryRow out;
  out.run = model::RunId(row.Uint(0));
  out.job = model::JobIndex(static_cast<std::uint32_t>(row.Int(1)));
  out.at = base::InstantFromMicros(row.Int(2));
  out.status = static_cast<model::Status>(row.Int(3));
  out.reason = ReasonAt(row, 4);
  out.attempt = static_cast<model::AttemptNumber>(row.Int(8));
  out.took = base::Duration(row.Int(9));
  return out;
}

}  // namespace

StatusOr<HistoryTables> HistoryTables::Prepare(Database& db) {
  HistoryTables out;
  ASSIGN_OR_RETURN(out.insert_run_,
                   db.Prepare("INSERT INTO run_history VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  ASSIGN_OR_RETURN(out.insert_job_,
                   db.Prepare("INSERT INTO job_history VALUES (?,?,?,?,?,?,?,?,?,?)"));
  return out;
}

Status HistoryTables::InsertRun(const codec::RunHistoryRow& row) {
  const std::string counts = codec::TextOf(row.counts);
  insert_run_.Bind(1, row.run.value())
      .Bind(2, std::int64_t{row.ended})
      .Bind(3, base::ToMicros(row.at))
      .BindBlob(4, codec::BytesOf(row.plan))
      .BindBlob(5, row.pipeline_file)
      .BindBlob(6, row.source)
      .BindBlob(7, row.commit)
      .BindBlob(8, row.branch)
      .BindBlob(9, row.event)
      .BindBlob(10, row.by)
      .Bind(11, static_cast<std::int64_t>(row.status));
  BindReason(insert_run_, 12, row.reason);
  insert_run_.BindBlob(16, counts);
  return insert_run_.Run();
}

Status HistoryTables::InsertJob(const codec::JobHistoryRow& row) {
  insert_job_.Bind(1, row.run.value())
      .Bind(2, std::int64_t{row.job.value()})
      .Bind(3, base::ToMicros(row.at))
      .Bind(4, static_cast<std::int64_t>(row.status));
  BindReason(insert_job_, 5, row.reason);
  insert_job_.Bind(9, std::int64_t{row.attempt}).Bind(10, row.took.count());
  return insert_job_.Run();
}

Status HistoryTables::Insert(const codec::HistoryRows& rows) {
  for (const codec::RunHistoryRow& row : rows.runs) {
    RETURN_IF_ERROR(InsertRun(row));
  }
  for (const codec::JobHistoryRow& row : rows.jobs) {
    RETURN_IF_ERROR(InsertJob(row));
  }
  return base::OkStatus();
}

StatusOr<codec::HistoryRows> ReadHistory(Database& db) {
  codec::HistoryRows out;
  ASSIGN_OR_RETURN(Statement runs, db.Prepare("SELECT * FROM run_history ORDER BY rowid"));
  ASSIGN_OR_RETURN(bool more, runs.Step());
  while (more) {
    out.runs.push_back(RunRowAt(runs));
    ASSIGN_OR_RETURN(more, runs.Step());
  }
  ASSIGN_OR_RETURN(Statement jobs, db.Prepare("SELECT * FROM job_history ORDER BY rowid"));
  ASSIGN_OR_RETURN(more, jobs.Step());
  while (more) {
    out.jobs.push_back(JobRowAt(jobs));
    ASSIGN_OR_RETURN(more, jobs.Step());
  }
  return out;
}

}  // namespace store::sqlite
