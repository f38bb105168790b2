// SPDX-License-Identifier: Apache-2.0
#include "apps/logs_command.h"

#include <algorithm>
#include <cstdio>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "apps/exit_code.h"
#include "apps/log_printer.h"
#include "apps/recorded_run.h"
#include "apps/run_lock.h"
#include "apps/state_dir.h"
#include "dsl/selection.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;

constexpr auto kLookEvery = std::chrono::milliseconds(100);

/// Changes whenever something was committed.
struct StoreStamp {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  std::int64_t bytes = 0;
  friend bool operator==(const StoreStamp&, const StoreStamp&) = default;
};

StoreStamp StampOf(const std::string& folder) {
  StoreStamp stamp;
  for (const char* name : {"/facts.db", "/facts.db-wal"}) {
    struct stat facts {};
    if (stat((folder + name).c_str(), &facts) == 0) {
      stamp.seconds = std::max<std::int64_t>(stamp.seconds, facts.st_mtim.tv_sec);
      stamp.nanoseconds += facts.st_mtim.tv_nsec;
      stamp.bytes += facts.st_size;
    }
  }
  return stamp;
}

base::StatusOr<LogSelection> Select(const view::Board& board, const LogsOptions& options) {
  LogSelection selection;
  if (options.job.empty()) {
    for (std::uint32_t i = 0; i < board.job_count(); ++i) {
      selection.jobs.emplace_back(i);
    }
  } else {
    ASSIGN_OR_RETURN(selection.jobs, dsl::FindJobs(board.plan(), options.job));
  }
  selection.step = options.step;
  if (!options.step.empty()) {
    const model::JobSpec& spec = model::SpecOf(board.plan(), selection.jobs[0]);
    RETURN_IF_ERROR(FindStep(spec, options.step).status());
  }
  return selection;
}

bool IsOver(const view::Board& board, const LogSelection& selection) {
  return model::IsFinal(board.status()) ||
         std::ranges::all_of(selection.jobs, [&](model::JobIndex job) {
           return model::IsFinal(board.job(job).status);
         });
}

base::Status Print(const LogsOptions& options) {
  ASSIGN_OR_RETURN(const StateDir state, StateDir::OpenForReading());
  ASSIGN_OR_RETURN(const model::RunId id, FindRun(state, options.run));
  ASSIGN_OR_RETURN(RecordedRun run, ReadRun(state, id));
  ASSIGN_OR_RETURN(const LogSelection selection, Select(run.board, options));
  LogPrinter printer(run.folder + "/logs", {.raw = options.raw,
                                            .in_order = options.raw,
                                            .name_jobs = selection.jobs.size() > 1,
                                            .tail = options.tail});
  StoreStamp seen = StampOf(run.folder);
  while (true) {
    const bool over = IsOver(run.board, selection) || !OwnerOf(run.folder);
    RETURN_IF_ERROR(printer.Print(run.board, selection));
    if (over || !options.follow) {
      return printer.missing();
    }
    std::this_thread::sleep_for(kLookEvery);
    if (const StoreStamp now = StampOf(run.folder); now != seen || !OwnerOf(run.folder)) {
      seen = now;
      ASSIGN_OR_RETURN(run, ReadRun(state, id));
    }
  }
}

}  // namespace

int LogsCommand(const LogsOptions& options) {
  if (!options.step.empty() && options.job.empty()) {
    return Fail(kExitInvalid, "name the job of the step, too");
  }
  const base::Status printed = Print(options);
  std::fflush(stdout);
  return printed.ok() ? kExitOk : Fail(printed);
}

}  // namespace apps
