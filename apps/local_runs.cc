// SPDX-License-Identifier: Apache-2.0
#include "apps/local_runs.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <sys/stat.h>
#include <thread>
#include <utility>

#include "apps/control.h"
#include "apps/local_run.h"
#include "apps/log_printer.h"
#include "apps/recorded_run.h"
#include "apps/run_lock.h"
#include "apps/run_record.h"
#include "apps/state_dir.h"
#include "apps/view/json_text.h"
#include "engine/expr/value.h"
#include "engine/model/expand.h"
#include "store/artifacts/local_store.h"
#include "store/sqlite/run_index.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

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

bool IsOver(const view::Board& board, const LogSelection& selection) {
  return model::IsFinal(board.status()) ||
         std::ranges::all_of(selection.jobs, [&](model::JobIndex job) {
           return model::IsFinal(board.job(job).status);
         });
}

std::string ExplainRequest(const std::string& job) {
  std::string json;
  view::JsonObject object(json);
  object.Text("do", "explain");
  if (!job.empty()) {
    object.Text("job", job);
  }
  object.End();
  return json;
}

std::string CancelRequest(bool kill) {
  std::string json;
  view::JsonObject object(json);
  object.Text("do", "cancel");
  object.Bool("kill", kill);
  object.Text("by", UserName());
  object.End();
  return json;
}

std::string ApproveRequest(const ApprovalGiven& given) {
  std::string inputs;
  view::JsonObject values(inputs);
  for (const auto& [name, value] : given.inputs) {
    values.Text(name, value);
  }
  values.End();
  std::string json;
  view::JsonObject object(json);
  object.Text("do", "approve");
  object.Text("job", given.job);
  object.Bool("approve", given.approve);
  object.Text("by", UserName());
  object.Raw("inputs", inputs);
  object.End();
  return json;
}

base::StatusOr<std::vector<ports::RunRow>> ListIndexed(const StateDir& state,
                                                       const ports::RunFilter& filter) {
  store::sqlite::RunIndexOptions options;
  options.read_only = true;
  ASSIGN_OR_RETURN(const auto index, store::sqlite::OpenRunIndex(state.index(), options));
  return index->ListRuns(filter);
}

bool Matches(const ports::RunRow& row, const ports::RunFilter& filter) {
  const auto is = [](const std::string& wanted, const std::string& value) {
    return wanted.empty() || wanted == value;
  };
  return is(filter.pipeline, row.pipeline) && is(filter.source, row.source) &&
         is(filter.branch, row.branch) && row.status == filter.status.value_or(row.status);
}

/// Newest first; one whose log cannot be read is left out.
base::StatusOr<std::vector<ports::RunRow>> ListFromLogs(const StateDir& state,
                                                        const ports::RunFilter& filter) {
  ASSIGN_OR_RETURN(std::vector<model::RunId> runs, state.Runs());
  std::vector<ports::RunRow> rows;
  for (auto run = runs.rbegin(); run != runs.rend() && rows.size() < filter.limit; ++run) {
    const auto recorded = ReadRun(state, *run);
    if (!recorded.ok()) {
      continue;
    }
    ports::RunRow row = RowOf(recorded->board, recorded->folder);
    if (Matches(row, filter)) {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

struct IndexedDeployments {
  std::set<model::RunId> runs;  ///< of which it has all
  std::vector<model::Deployment> known;
};

/// Of the environment. Empty when the index is gone or damaged.
IndexedDeployments DeploymentsIndexed(const StateDir& state, const std::string& environment) {
  IndexedDeployments out;
  store::sqlite::RunIndexOptions options;
  options.read_only = true;
  const auto index = store::sqlite::OpenRunIndex(state.index(), options);
  if (!index.ok()) {
    return out;
  }
  // In this order: a run that ends meanwhile is read from its log.
  auto runs = (*index)->RunsWithDeployments();
  auto known = (*index)->ListDeployments(
      {.limit = std::numeric_limits<std::size_t>::max(), .environment = environment});
  if (runs.ok() && known.ok()) {
    out = {.runs = *std::move(runs), .known = *std::move(known)};
  }
  return out;
}

class LocalRuns final : public RunAccess {
 public:
  explicit LocalRuns(StateDir state) : state_(std::move(state)) {}

  // The index is a convenience that may be gone or damaged; what runs say themselves is true.
  base::StatusOr<std::vector<ports::RunRow>> List(const ports::RunFilter& filter) override {
    auto rows = ListIndexed(state_, filter);
    return rows.ok() && !rows->empty() ? std::move(rows) : ListFromLogs(state_, filter);
  }

  bool IsLeft(const ports::RunRow& row) const override {
    return !model::IsFinal(row.status) && !OwnerOf(row.folder);
  }

  base::StatusOr<std::vector<model::Deployment>> Deployments(
      const model::DeploymentFilter& filter) override {
    auto [indexed, known] = DeploymentsIndexed(state_, filter.environment);
    ASSIGN_OR_RETURN(const std::vector<model::RunId> runs, state_.Runs());
    std::vector<model::Deployment> told;
    for (const model::RunId run : runs) {
      // Open, or the index does not know it: it says itself. One that cannot be read is left out.
      if (indexed.contains(run)) {
        continue;
      }
      std::erase_if(known, [run](const model::Deployment& each) { return each.run == run; });
      if (const auto recorded = ReadRun(state_, run); recorded.ok()) {
        std::ranges::move(recorded->board.deployments(), std::back_inserter(told));
      }
    }
    std::ranges::move(told, std::back_inserter(known));
    return model::SelectDeployments(std::move(known), filter);
  }

  bool IsLeft(const model::Deployment& deployment) const override {
    return !model::IsFinal(deployment.status) && !OwnerOf(state_.run_folder(deployment.run));
  }

  std::string place() const override { return state_.root(); }

  base::StatusOr<RunReading> Read(const std::string& name) override {
    ASSIGN_OR_RETURN(const model::RunId run, FindRun(state_, name));
    ASSIGN_OR_RETURN(RecordedRun recorded, ReadRun(state_, run));
    const bool alive = OwnerOf(recorded.folder).has_value();
    return RunReading{.board = std::move(recorded.board), .alive = alive};
  }

  base::StatusOr<std::string> ReadDocument(const base::Digest& document) override {
    ASSIGN_OR_RETURN(const auto chunks, store::artifacts::LocalStore::Open(state_.chunks()));
    return chunks->Get(document);
  }

  base::StatusOr<RunExplained> Explain(const std::string& name, const std::string& job) override {
    ASSIGN_OR_RETURN(const model::RunId run, FindRun(state_, name));
    const auto answer = AskRun(state_.run_folder(run), ExplainRequest(job));
    if (answer.ok()) {
      return RunExplained{.run = run, .json = answer->ToJson()};
    }
    if (answer.status().code() != absl::StatusCode::kUnavailable) {
      return base::InvalidArgument("{}", base::Message(answer.status()));
    }
    ASSIGN_OR_RETURN(const RecordedRun recorded, ReadRun(state_, run));
    ASSIGN_OR_RETURN(std::string json, ExplainRecorded(recorded.board, job));
    return RunExplained{.run = run, .json = std::move(json)};
  }

  base::StatusOr<RunCancelled> Cancel(const std::string& name, bool kill) override {
    ASSIGN_OR_RETURN(const model::RunId run, FindRun(state_, name));
    const auto answer = AskRun(state_.run_folder(run), CancelRequest(kill));
    if (answer.ok()) {
      return RunCancelled{.run = run};
    }
    return answer.status().code() == absl::StatusCode::kUnavailable
               ? WithoutProcess(run)
               : base::FailedPrecondition("{}", base::Message(answer.status()));
  }

  base::StatusOr<model::RunId> Approve(const std::string& name,
                                       const ApprovalGiven& given) override {
    ASSIGN_OR_RETURN(const model::RunId run, FindRun(state_, name));
    const auto answer = AskRun(state_.run_folder(run), ApproveRequest(given));
    if (answer.ok()) {
      return run;
    }
    if (answer.status().code() != absl::StatusCode::kUnavailable) {
      return base::InvalidArgument("{}", base::Message(answer.status()));
    }
    ASSIGN_OR_RETURN(const RunCancelled over, WithoutProcess(run));
    return base::InvalidArgument("run {} is over: nothing of it waits for an approval",
                                 model::ToText(over.run));
  }

  base::Status PrintLogs(const LogsOptions& options) override {
    ASSIGN_OR_RETURN(const model::RunId id, FindRun(state_, options.run));
    ASSIGN_OR_RETURN(RecordedRun run, ReadRun(state_, id));
    ASSIGN_OR_RETURN(LogSelection selection, Select(run.board, options));
    LogPrinter printer(run.folder + "/logs", {.raw = options.raw,
                                              .json = options.format == "json",
                                              .in_order = options.raw,
                                              .name_jobs = MayBeSeveral(run.board, selection),
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
        ASSIGN_OR_RETURN(run, ReadRun(state_, id));
        // There may be more of them by now.
        ASSIGN_OR_RETURN(selection, Select(run.board, options));
      }
    }
  }

 private:
  static base::StatusOr<LogSelection> Select(const view::Board& board, const LogsOptions& options) {
    ASSIGN_OR_RETURN(SelectedSteps steps, SelectSteps(board, options));
    return LogSelection{.jobs = std::move(steps.jobs), .step = std::move(steps.step)};
  }
  static bool MayBeSeveral(const view::Board& board, const LogSelection& selection) {
    return selection.jobs.size() > 1 ||
           std::ranges::any_of(selection.jobs, [&](model::JobIndex job) {
             return model::AwaitsValues(board.plan(), model::SpecOf(board.plan(), job));
           });
  }

  // Nobody listens: it is over, or was left unfinished.
  base::StatusOr<RunCancelled> WithoutProcess(model::RunId run) const {
    ASSIGN_OR_RETURN(const RecordedRun recorded, ReadRun(state_, run));
    if (model::IsFinal(recorded.board.status())) {
      return RunCancelled{.run = run, .status = recorded.board.status()};
    }
    const std::string id = model::ToText(run);
    return base::FailedPrecondition(
        "run {} has no process any more, nothing of it is running; dayfly run --resume {} would "
        "continue it",
        id, id);
  }

  StateDir state_;
};

}  // namespace

base::StatusOr<std::unique_ptr<RunAccess>> OpenLocalRuns() {
  ASSIGN_OR_RETURN(StateDir state, StateDir::OpenForReading());
  return std::make_unique<LocalRuns>(std::move(state));
}

}  // namespace apps
