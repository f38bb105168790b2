// SPDX-License-Identifier: Apache-2.0
#include "apps/show_command.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>
#include <utility>
#include <vector>

#include "agents/reports/annotation_document.h"
#include "agents/reports/test_document.h"
#include "apps/exit_code.h"
#include "apps/run_access.h"
#include "apps/terminal.h"
#include "apps/view/annotation_report.h"
#include "apps/view/run_details.h"
#include "apps/view/test_report.h"

namespace apps {

namespace {

namespace base = engine::base;
namespace model = engine::model;

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

view::JobAnnotations AnnotationsOf(RunAccess& runs, const view::Board& board, model::JobIndex job) {
  view::JobAnnotations made{.job = board.job_name(job),
                            .spec = &model::SpecOf(board.plan(), job),
                            .totals = *board.job(job).result->remarks.annotations,
                            .list = {},
                            .missing = {}};
  const auto document = runs.ReadDocument(made.totals.document);
  auto annotations = document.ok() ? agents::reports::DecodeAnnotations(*document)
                                   : base::StatusOr<model::Annotations>(document.status());
  if (annotations.ok()) {
    made.list = std::move(annotations)->list;
  } else {
    made.missing = base::Message(annotations.status());
  }
  return made;
}

std::vector<model::JobIndex> AnnotatedJobs(const view::Board& board) {
  std::vector<model::JobIndex> jobs;
  for (std::uint32_t i = 0; i < board.job_count(); ++i) {
    const auto& result = board.job(model::JobIndex(i)).result;
    if (result != nullptr && result->remarks.annotations) {
      jobs.emplace_back(i);
    }
  }
  return jobs;
}

std::vector<view::JobAnnotations> AllAnnotations(RunAccess& runs, const view::Board& board) {
  std::vector<view::JobAnnotations> all;
  for (const model::JobIndex job : AnnotatedJobs(board)) {
    all.push_back(AnnotationsOf(runs, board, job));
  }
  return all;
}

// Documents are read until there is enough to show: those of jobs with errors first.
std::string AnnotationsBlock(RunAccess& runs, const view::Board& board) {
  const auto totals = [&](model::JobIndex job) -> const model::AnnotationCounts& {
    return board.job(job).result->remarks.annotations->counts;
  };
  std::vector<model::JobIndex> jobs = AnnotatedJobs(board);
  std::ranges::stable_sort(jobs, [&](model::JobIndex a, model::JobIndex b) {
    return totals(a).errors > 0 && totals(b).errors == 0;
  });
  model::AnnotationCounts counts;
  std::vector<view::JobAnnotations> shown;
  std::size_t there = 0;
  for (const model::JobIndex job : jobs) {
    counts.Add(totals(job));
    if (there < view::kAnnotationsShown) {
      shown.push_back(AnnotationsOf(runs, board, job));
      there += shown.back().list.size();
    }
  }
  return view::AnnotationsBlock(model::ToText(board.run()), counts, shown, LookOf(STDOUT_FILENO));
}

std::string Report(const ShowOptions& options, RunAccess& runs, const RunReading& run) {
  const bool json = options.format == "json";
  if (options.tests) {
    const std::string id = engine::model::ToText(run.board.run());
    const std::vector<view::JobTests> jobs = TestsOf(runs, run.board);
    return json ? view::TestReportJson(id, jobs)
                : view::TestReportText(id, jobs, LookOf(STDOUT_FILENO));
  }
  if (options.annotations) {
    const std::string id = model::ToText(run.board.run());
    const std::vector<view::JobAnnotations> jobs = AllAnnotations(runs, run.board);
    return json ? view::AnnotationReportJson(id, jobs)
                : view::AnnotationReportText(id, jobs, LookOf(STDOUT_FILENO));
  }
  return json ? view::RunDetailsJson(run.board, WallClock(), run.alive)
              : view::RunDetailsText(run.board, WallClock(), run.alive, LookOf(STDOUT_FILENO)) +
                    AnnotationsBlock(runs, run.board);
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
