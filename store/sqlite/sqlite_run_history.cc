// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_run_history.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <variant>

#include "engine/base/overloaded.h"
#include "store/codec/fact_codec.h"
#include "store/codec/run_prefix.h"
#include "store/sqlite/database.h"
#include "store/sqlite/deployment_book.h"
#include "store/sqlite/deployment_table.h"
#include "store/sqlite/run_store_schema.h"
#include "store/sqlite/sqlite_run_store.h"

namespace store::sqlite {
namespace {

namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

struct KnownRun {
  ports::RunRow row;
  std::vector<ports::JobRow> jobs;
  std::map<model::JobIndex, model::AttemptEnded> attempts;  ///< newest, of jobs that go on
};

ports::RunRow RowOf(const model::RunAccepted& fact, base::Instant at) {
  ports::RunRow row;
  row.run = fact.run;
  row.accepted_at = at;
  row.pipeline_file = fact.context->pipeline_file;
  row.source = fact.context->source;
  row.commit = fact.context->commit;
  row.branch = fact.context->branch;
  row.event = fact.context->event;
  return row;
}

bool Fits(const ports::RunRow& row, const ports::RunFilter& filter) {
  return (filter.pipeline.empty() || filter.pipeline == row.pipeline) &&
         (filter.source.empty() || filter.source == row.source) &&
         (filter.branch.empty() || filter.branch == row.branch) &&
         (!filter.status || *filter.status == row.status);
}

class SqliteRunHistory final : public ports::RunHistory {
 public:
  SqliteRunHistory(std::unique_ptr<Database> db, std::unique_ptr<ports::RunStore> plans)
      : db_(std::move(db)), plans_(std::move(plans)), deployments_(*plans_) {}

  StatusOr<std::vector<ports::RunRow>> ListRuns(const ports::RunFilter& filter) override {
    RETURN_IF_ERROR(CatchUp());
    std::vector<ports::RunRow> rows;
    for (auto each = runs_.rbegin(); each != runs_.rend() && rows.size() < filter.limit; ++each) {
      if (Fits(each->second.row, filter)) {
        rows.push_back(each->second.row);
      }
    }
    return rows;
  }

  StatusOr<ports::RunRow> FindRun(std::string_view id_prefix) override {
    RETURN_IF_ERROR(CatchUp());
    ASSIGN_OR_RETURN(const codec::RunIdRange range, codec::RangeOfPrefix(id_prefix));
    std::vector<ports::RunRow> found;
    for (auto each = runs_.lower_bound(range.first);
         each != runs_.end() && each->first <= range.last && found.size() < codec::kCandidatesMax;
         ++each) {
      found.push_back(each->second.row);
    }
    return codec::OnlyRun(id_prefix, std::move(found));
  }

  /// Durations are the business of the index of local runs.
  StatusOr<std::map<std::string, base::Duration>> KnownDurations(
      const ports::PipelineKey&) override {
    return std::map<std::string, base::Duration>();
  }

  StatusOr<std::optional<model::RunAccepted>> FindKey(std::string_view idempotency_key) override {
    RETURN_IF_ERROR(CatchUp());
    const auto found = by_key_.find(idempotency_key);
    return found == by_key_.end() ? std::optional<model::RunAccepted>() : found->second;
  }

  void Refresh() override {
    seq_ = 0;
    runs_.clear();
    by_key_.clear();
    names_.clear();
    deployments_.Clear();
  }

  StatusOr<std::vector<model::Deployment>> ListDeployments(
      const model::DeploymentFilter& filter) override {
    RETURN_IF_ERROR(CatchUp());
    std::vector<model::Deployment> known = deployments_.List();
    ASSIGN_OR_RETURN(std::vector<model::Deployment> kept,
                     ReadDeployments(*db_, kKeptDeployments, filter.environment));
    // A day that is just going has its deployments twice.
    std::erase_if(kept, [this](const model::Deployment& each) { return runs_.contains(each.run); });
    std::ranges::move(kept, std::back_inserter(known));
    return model::SelectDeployments(std::move(known), filter);
  }

  StatusOr<std::vector<ports::JobRow>> JobsOf(model::RunId run) override {
    RETURN_IF_ERROR(CatchUp());
    const auto found = runs_.find(run);
    std::vector<ports::JobRow> jobs;
    if (found != runs_.end()) {
      jobs = found->second.jobs;
      std::ranges::sort(jobs, {}, &ports::JobRow::job);
    }
    return jobs;
  }

 private:
  Status CatchUp() {
    ASSIGN_OR_RETURN(Statement query,
                     db_->Prepare("SELECT seq, bytes FROM log WHERE seq > ? ORDER BY seq"));
    query.Bind(1, seq_);
    ASSIGN_OR_RETURN(bool more, query.Step());
    while (more) {
      StatusOr<std::vector<model::Fact>> facts = codec::DecodeFacts(query.Bytes(1));
      if (!facts.ok()) {
        return base::Annotate(facts.status(), db_->path());
      }
      for (const model::Fact& fact : *facts) {
        RETURN_IF_ERROR(Take(fact));
      }
      seq_ = query.Uint(0);
      ASSIGN_OR_RETURN(more, query.Step());
    }
    return base::OkStatus();
  }

  Status Take(const model::Fact& fact) {
    RETURN_IF_ERROR(deployments_.Take(fact));
    if (const auto* accepted = std::get_if<model::RunAccepted>(&fact.body)) {
      return Accept(*accepted, fact.at);
    }
    const auto run = runs_.find(model::RunOf(fact));
    if (run == runs_.end()) {
      return base::OkStatus();
    }
    std::visit(
        base::Overloaded{
            [&](const model::AttemptEnded& ended) { run->second.attempts[ended.key.job] = ended; },
            [&](const model::JobEnded& ended) { EndJob(run->second, ended, fact.at); },
            [&](const model::RunEnded& ended) {
              run->second.row.status = ended.status;
              run->second.row.counts = ended.counts;
              run->second.row.ended_at = fact.at;
            },
            [](const auto&) {}},
        fact.body);
    return base::OkStatus();
  }

  Status Accept(const model::RunAccepted& accepted, base::Instant at) {
    KnownRun& run = runs_[accepted.run];
    run.row = RowOf(accepted, at);
    auto& name = names_[accepted.plan];
    if (name.empty()) {
      ASSIGN_OR_RETURN(const model::PlanRef plan, plans_->LoadPlan(accepted.plan));
      name = plan->name;
    }
    run.row.pipeline = name;
    if (!accepted.idempotency_key.empty()) {
      by_key_.try_emplace(accepted.idempotency_key, accepted);
    }
    return base::OkStatus();
  }

  static void EndJob(KnownRun& run, const model::JobEnded& ended, base::Instant at) {
    ports::JobRow row;
    row.job = ended.job;
    row.status = ended.result->status;
    row.reason = ended.result->reason;
    row.at = at;
    if (const auto attempt = run.attempts.extract(ended.job)) {
      row.attempt = attempt.mapped().key.attempt;
      row.took = attempt.mapped().took;
    }
    run.jobs.push_back(std::move(row));
  }

  std::unique_ptr<Database> db_;
  std::unique_ptr<ports::RunStore> plans_;
  DeploymentBook deployments_;
  std::uint64_t seq_ = 0;
  std::map<model::RunId, KnownRun> runs_;
  std::map<std::string, model::RunAccepted, std::less<>> by_key_;
  std::map<model::PlanDigest, std::string> names_;  ///< of pipelines
};

}  // namespace

StatusOr<std::unique_ptr<ports::RunHistory>> OpenSqliteRunHistory(const std::string& path) {
  RunStoreOptions options;
  options.read_only = true;
  ASSIGN_OR_RETURN(std::unique_ptr<ports::RunStore> plans, OpenSqliteRunStore(path, options));
  ASSIGN_OR_RETURN(std::unique_ptr<Database> db, Database::Open(path, {.read_only = true}));
  RETURN_IF_ERROR(PrepareSchema(*db, true, kRunStoreVersion, kRunStoreSchema, "run"));
  return std::make_unique<SqliteRunHistory>(std::move(db), std::move(plans));
}

}  // namespace store::sqlite
