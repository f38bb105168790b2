// SPDX-License-Identifier: Apache-2.0
#include "apps/run_record.h"

#include <algorithm>
#include <map>
#include <utility>

#include "apps/run_lock.h"
#include "apps/view/summary.h"
#include "store/sqlite/run_index.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

ports::PipelineKey KeyOf(const model::Plan& plan, const model::RunContext& context) {
  return {.pipeline = plan.name, .pipeline_file = context.pipeline_file, .source = context.source};
}

// A matrix is as long as its longest cell.
std::map<std::string, base::Duration> DurationsOf(const view::Board& board) {
  std::map<std::string, base::Duration> durations;
  for (std::uint32_t i = 0; i < board.job_count(); ++i) {
    const view::JobState& job = board.job(model::JobIndex(i));
    if (job.attempts_begun == 0 || job.attempts.back().status != model::Status::kSucceeded) {
      continue;
    }
    const base::Duration took = view::ElapsedOf(job, job.ended_at);
    base::Duration& longest = durations[model::SpecOf(board.plan(), model::JobIndex(i)).name];
    longest = std::max(longest, took);
  }
  return durations;
}

// Most runs have none, which is worth knowing, too: whoever asks need not read their logs.
base::Status SaveDeployments(const view::Board& board, ports::RunIndex& index) {
  return model::IsFinal(board.status()) ? index.SaveDeployments(board.run(), board.deployments())
                                        : base::OkStatus();
}

}  // namespace

ports::RunRow RowOf(const view::Board& board, const std::string& folder) {
  ports::RunRow row;
  row.run = board.run();
  row.pipeline = board.plan().name;
  row.folder = folder;
  row.status = board.status();
  row.accepted_at = board.accepted_at();
  if (const auto& context = board.context()) {
    row.pipeline_file = context->pipeline_file;
    row.source = context->source;
    row.commit = context->commit;
    row.branch = context->branch;
    row.event = context->event;
  }
  if (model::IsFinal(board.status())) {
    row.ended_at = board.ended_at();
    row.counts = board.counts();
  } else {
    row.owner = ThisProcess();
  }
  return row;
}

RunRecord::~RunRecord() {
  if (beginning_.joinable()) {
    beginning_.join();
  }
}

base::StatusOr<ports::RunIndex*> RunRecord::Index() {
  if (beginning_.joinable()) {
    beginning_.join();
  }
  if (index_ == nullptr) {
    ASSIGN_OR_RETURN(index_, store::sqlite::OpenRunIndex(state_.index()));
  }
  return index_.get();
}

std::vector<base::Duration> RunRecord::KnownDurations(const model::Plan& plan,
                                                      const model::RunContext& context) {
  const auto index = Index();
  if (!index.ok()) {
    return {};
  }
  const auto known = (*index)->KnownDurations(KeyOf(plan, context));
  if (!known.ok() || known->empty()) {
    return {};
  }
  std::vector<base::Duration> durations;
  for (const model::JobSpec& spec : plan.specs) {
    const auto found = known->find(spec.name);
    durations.push_back(found == known->end() ? base::Duration(0) : found->second);
  }
  return durations;
}

void RunRecord::Begin(ports::RunRow row) {
  const auto index = Index();
  if (index.ok()) {
    beginning_ = std::thread(
        [opened = *index, saved = std::move(row)] { opened->SaveRun(saved).IgnoreError(); });
  }
}

base::Status RunRecord::End(const view::Board& board, ports::RunRow row) {
  ASSIGN_OR_RETURN(ports::RunIndex * index, Index());
  RETURN_IF_ERROR(SaveDeployments(board, *index));
  RETURN_IF_ERROR(index->SaveRun(row));
  const std::map<std::string, base::Duration> durations = DurationsOf(board);
  if (durations.empty() || board.context() == nullptr) {
    return base::OkStatus();
  }
  return index->SaveDurations(KeyOf(board.plan(), *board.context()), durations);
}

}  // namespace apps
