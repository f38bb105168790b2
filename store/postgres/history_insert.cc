// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/history_insert.h"

#include "store/codec/plan_codec.h"

namespace store::postgres {
namespace {

namespace base = engine::base;
namespace model = engine::model;

// Most members have their default, which is NULL in the table.
void AddText(Column& column, std::string_view text) {
  if (text.empty()) {
    column.Null();
  } else {
    column.Bytes(text);
  }
}

void AddNumber(Column& column, std::int64_t number) {
  if (number == 0) {
    column.Null();
  } else {
    column.Int64(number);
  }
}

void AddReason(const model::Reason& reason, Column& code, Column& detail, Column& until,
               Column& subject) {
  if (reason.code == model::ReasonCode::kNone) {
    code.Null();
  } else {
    code.Int32(static_cast<std::int32_t>(reason.code));
  }
  AddNumber(detail, reason.detail);
  AddNumber(until, base::ToMicros(reason.until));
  AddText(subject, reason.subject);
}

std::int64_t Signed(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

constexpr ElementType kBytes = ElementType::kBytes;
constexpr ElementType kInt32 = ElementType::kInt32;
constexpr ElementType kInt64 = ElementType::kInt64;

}  // namespace

const char* const kInsertHistory = R"sql(
run_row AS (
  SELECT r.* FROM gate, unnest(
    $2::bigint[], $3::bigint[], $4::int[], $5::bigint[], $6::int[], $7::int[], $8::int[],
    $9::bigint[], $10::bigint[], $11::bytea[], $12::text[], $13::bytea[], $14::bytea[],
    $15::bytea[], $16::bytea[], $17::bytea[], $18::bytea[], $19::bytea[], $20::bytea[])
  AS r(run, at, day, seq, ended, status, reason, detail, until, subject, counts, plan,
       pipeline_file, source, "commit", branch, event, "by", key)
), new_run_history AS (
  INSERT INTO dayfly.run_history (run, shard, at, day, status, reason, ended, detail, until,
    subject, counts, plan, pipeline_file, source, "commit", branch, event, "by")
  SELECT run, $1::bigint, at, day, status, reason, ended <> 0, detail, until,
    subject, counts::bigint[], plan, pipeline_file, source, "commit", branch, event, "by"
  FROM run_row
), new_key AS (
  INSERT INTO dayfly.idempotency_key (shard, key, day, seq, run)
  SELECT $1::bigint, key, day, seq, run FROM run_row WHERE key IS NOT NULL
  ON CONFLICT DO NOTHING
), new_job_history AS (
  INSERT INTO dayfly.job_history (run, shard, at, took, day, job, attempt, status, reason, detail,
    until, subject)
  SELECT j.run, $1::bigint, j.at, j.took, j.day, j.job, j.attempt, j.status, j.reason, j.detail,
    j.until, j.subject
  FROM gate, unnest(
    $21::bigint[], $22::int[], $23::bigint[], $24::bigint[], $25::int[], $26::int[], $27::int[],
    $28::int[], $29::bigint[], $30::bigint[], $31::bytea[])
  AS j(run, job, at, took, day, attempt, status, reason, detail, until, subject)
), new_deployment AS (
  INSERT INTO dayfly.deployment (run, shard, at, day, job, environment, url)
  SELECT d.run, $1::bigint, d.at, d.day, d.job, d.environment, d.url
  FROM gate, unnest($32::bigint[], $33::int[], $34::bigint[], $35::int[], $36::bytea[], $37::bytea[])
  AS d(run, job, at, day, environment, url)
  ON CONFLICT DO NOTHING
)
)sql";

HistoryInsert::HistoryInsert()
    : run_(kInt64),
      at_(kInt64),
      day_(kInt32),
      seq_(kInt64),
      ended_(kInt32),
      status_(kInt32),
      reason_(kInt32),
      detail_(kInt64),
      until_(kInt64),
      subject_(kBytes),
      counts_(ElementType::kText),
      plan_(kBytes),
      pipeline_file_(kBytes),
      source_(kBytes),
      commit_(kBytes),
      branch_(kBytes),
      event_(kBytes),
      by_(kBytes),
      key_(kBytes),
      job_run_(kInt64),
      job_(kInt32),
      job_at_(kInt64),
      took_(kInt64),
      job_day_(kInt32),
      attempt_(kInt32),
      job_status_(kInt32),
      job_reason_(kInt32),
      job_detail_(kInt64),
      job_until_(kInt64),
      job_subject_(kBytes),
      deployment_run_(kInt64),
      deployment_job_(kInt32),
      deployment_at_(kInt64),
      deployment_day_(kInt32),
      environment_(kBytes),
      url_(kBytes) {}

void HistoryInsert::Add(const engine::ports::FactRow& row, std::uint64_t seq) {
  codec::HistoryRows rows;
  codec::ProjectHistory(row, rows);
  const auto day = static_cast<std::int32_t>(codec::DayOf(row));
  for (const codec::RunHistoryRow& run : rows.runs) {
    AddRun(run, day, seq);
  }
  for (const codec::JobHistoryRow& job : rows.jobs) {
    AddJob(job, day);
  }
  for (const codec::DeploymentHistoryRow& deployment : rows.deployments) {
    AddDeployment(deployment, day);
  }
}

void HistoryInsert::AddRun(const codec::RunHistoryRow& row, std::int32_t day, std::uint64_t seq) {
  run_.Int64(Signed(row.run.value()));
  at_.Int64(base::ToMicros(row.at));
  day_.Int32(day);
  seq_.Int64(Signed(seq));
  ended_.Int32(row.ended ? 1 : 0);
  status_.Int32(static_cast<std::int32_t>(row.status));
  AddReason(row.reason, reason_, detail_, until_, subject_);
  if (row.ended) {
    counts_.Bytes("{" + codec::TextOf(row.counts) + "}");
    plan_.Null();
  } else {
    counts_.Null();
    plan_.Bytes(codec::BytesOf(row.plan));
  }
  AddText(pipeline_file_, row.pipeline_file);
  AddText(source_, row.source);
  AddText(commit_, row.commit);
  AddText(branch_, row.branch);
  AddText(event_, row.event);
  AddText(by_, row.by);
  AddText(key_, row.idempotency_key);
}

void HistoryInsert::AddJob(const codec::JobHistoryRow& row, std::int32_t day) {
  job_run_.Int64(Signed(row.run.value()));
  job_.Int32(static_cast<std::int32_t>(row.job.value()));
  job_at_.Int64(base::ToMicros(row.at));
  took_.Int64(row.took.count());
  job_day_.Int32(day);
  attempt_.Int32(static_cast<std::int32_t>(row.attempt));
  job_status_.Int32(static_cast<std::int32_t>(row.status));
  AddReason(row.reason, job_reason_, job_detail_, job_until_, job_subject_);
}

void HistoryInsert::AddDeployment(const codec::DeploymentHistoryRow& row, std::int32_t day) {
  deployment_run_.Int64(Signed(row.run.value()));
  deployment_job_.Int32(static_cast<std::int32_t>(row.job.value()));
  deployment_at_.Int64(base::ToMicros(row.at));
  deployment_day_.Int32(day);
  environment_.Bytes(row.environment);
  AddText(url_, row.url);
}

void HistoryInsert::AppendTo(Parameters& parameters) const {
  for (const Column* column : {&run_,
                               &at_,
                               &day_,
                               &seq_,
                               &ended_,
                               &status_,
                               &reason_,
                               &detail_,
                               &until_,
                               &subject_,
                               &counts_,
                               &plan_,
                               &pipeline_file_,
                               &source_,
                               &commit_,
                               &branch_,
                               &event_,
                               &by_,
                               &key_,
                               &job_run_,
                               &job_,
                               &job_at_,
                               &took_,
                               &job_day_,
                               &attempt_,
                               &job_status_,
                               &job_reason_,
                               &job_detail_,
                               &job_until_,
                               &job_subject_,
                               &deployment_run_,
                               &deployment_job_,
                               &deployment_at_,
                               &deployment_day_,
                               &environment_,
                               &url_}) {
    parameters.Array(*column);
  }
}

}  // namespace store::postgres
