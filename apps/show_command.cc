// SPDX-License-Identifier: Apache-2.0
#include "apps/show_command.h"

#include <cstdio>
#include <unistd.h>

#include "agents/reports/test_document.h"
#include "apps/exit_code.h"
#include "apps/run_access.h"
#include "apps/terminal.h"
#include "apps/view/run_details.h"
#include "apps/view/test_report.h"

namespace apps {

namespace {

namespace base = engine::base;

std::vector<view::JobTests> TestsOf(RunAccess& runs, const view::Board& board) {
  std::vector<view::JobTests> jobs;
  for (std::uint32_t i = 0; i < board.job_count(); ++i) {
    const engine::model::JobIndex job(i);
    const auto& result = board.job(job).result;
    if (result == nullptr || !result->remarks.tests) {
      continue;
    }
    view::JobTests& tests = jobs.emplace_back();
    tests.job = board.job_name(job);
    tests.totals = *result->remarks.tests;
    const auto document = runs.ReadDocument(tests.totals.document);
    auto results = document.ok() ? agents::reports::DecodeTestDocument(*document)
                                 : base::StatusOr<engine::model::TestResults>(document.status());
    if (results.ok()) {
      tests.results = *std::move(results);
    } else {
      tests.missing = base::Message(results.status());
    }
  }
  return jobs;
}

std::string Report(const ShowOptions& options, RunAccess& runs, const RunReading& run) {
  const bool json = options.format == "json";
  if (options.tests) {
    const std::string id = engine::model::ToText(run.board.run());
    const std::vector<view::JobTests> jobs = TestsOf(runs, run.board);
    return json ? view::TestReportJson(id, jobs)
                : view::TestReportText(id, jobs, LookOf(STDOUT_FILENO));
  }
  return json ? view::RunDetailsJson(run.board, WallClock(), run.alive)
              : view::RunDetailsText(run.board, WallClock(), run.alive, LookOf(STDOUT_FILENO));
}

}  // namespace

int ShowCommand(const ShowOptions& options) {
  const auto runs = OpenRuns(options.server);
  if (!runs.ok()) {
    return Fail(runs.status());
  }
  const auto run = (*runs)->Read(options.run);
  if (!run.ok()) {
    return Fail(run.status());
  }
  const std::string out = Report(options, **runs, *run);
  std::fwrite(out.data(), 1, out.size(), stdout);
  return kExitOk;
}

}  // namespace apps
