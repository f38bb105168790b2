// SPDX-License-Identifier: Apache-2.0
#include "apps/retry_command.h"

#include <cstdio>
#include <memory>

#include "apps/client_config.h"
#include "apps/exit_code.h"
#include "apps/local_run.h"
#include "apps/network_part.h"
#include "apps/recorded_run.h"
#include "apps/run_lock.h"
#include "apps/state_dir.h"
#include "engine/model/expand.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;

std::vector<model::CarriedJob> ResultsOf(const view::Board& board) {
  std::vector<model::CarriedJob> results;
  for (std::uint32_t i = 0; i < board.job_count(); ++i) {
    if (const auto& result = board.job(model::JobIndex(i)).result; result != nullptr) {
      results.push_back({.job = model::JobIndex(i), .result = *result});
    }
  }
  return results;
}

// `--only` of the first run holds for its retry.
std::vector<model::SpecIndex> LeftOut(const view::Board& board) {
  std::vector<model::SpecIndex> left_out;
  for (std::uint32_t i = 0; i < board.job_count(); ++i) {
    const model::JobIndex job(i);
    const model::SpecIndex spec = board.plan().jobs[i].spec;
    if (board.job(job).reason.code == model::ReasonCode::kNotSelected &&
        (left_out.empty() || left_out.back() != spec)) {
      left_out.push_back(spec);
    }
  }
  return left_out;
}

base::StatusOr<model::SubmitRun> Submission(const RecordedRun& old, bool failed_only,
                                            LocalRun& run) {
  const std::string id = model::ToText(old.board.run());
  if (!model::IsFinal(old.board.status())) {
    return OwnerOf(old.folder) ? base::InvalidArgument("run {} is still under way", id)
                               : base::InvalidArgument(
                                     "run {} was left unfinished: dayfly run --resume {}", id, id);
  }
  model::RunContext context = *old.board.context();
  context.workspace = run.workspace();
  context.by = UserName();
  context.seed = DrawRandom();
  model::SubmitRun submission;
  submission.run = run.run();
  submission.plan = old.plan;
  submission.digest = old.digest;
  submission.known_durations = run.KnownDurations(*submission.plan, context);
  submission.context = std::make_shared<model::RunContext>(std::move(context));
  submission.not_selected = LeftOut(old.board);
  if (failed_only) {
    // What was skipped is decided anew.
    model::CarriedOver carried =
        model::CarryOver(*old.plan, old.board.plan(), ResultsOf(old.board), old.board.run());
    submission.expanded = std::move(carried.expanded);
    submission.carried = std::move(carried.jobs);
    if (carried.all) {
      return base::InvalidArgument("every job of run {} ended well; there is nothing to retry", id);
    }
  }
  return submission;
}

int RetryHere(const RetryOptions& options) {
  const auto state = StateDir::Open();
  if (!state.ok()) {
    return Fail(state.status());
  }
  const auto id = FindRun(*state, options.run);
  if (!id.ok()) {
    return Fail(id.status());
  }
  const auto old = ReadRun(*state, *id);
  if (!old.ok()) {
    return Fail(old.status());
  }
  LocalRunOptions local;
  local.workers = options.workers;
  local.output = options.output;
  local.secrets = options.secrets;
  local.secrets_file = ".dayfly/secrets";
  local.stats = options.stats;
  auto run = LocalRun::Create(*state, std::move(local));
  if (!run.ok()) {
    return Fail(run.status());
  }
  auto submission = Submission(*old, options.failed, **run);
  if (!submission.ok()) {
    return Fail(submission.status());
  }
  fmt::print(stderr,
             "dayfly: run {} retries run {} with its plan, its source (tree {}) and its inputs; {} "
             "job{} carried over\n",
             model::ToText((*run)->run()), model::ToText(*id),
             submission->context->tree.empty() ? "none" : submission->context->tree.substr(0, 12),
             submission->carried.size(), submission->carried.size() == 1 ? " is" : "s are");
  return (*run)->Execute(*std::move(submission));
}

}  // namespace

int RetryCommand(const RetryOptions& options) {
  const auto choice = ChooseServer(options.server);
  if (!choice.ok()) {
    return Fail(choice.status());
  }
  return choice->servers.empty() ? RetryHere(options)
                                 : RunNetworkCommand(&NetworkPart::retry, options);
}

}  // namespace apps
