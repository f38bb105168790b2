// SPDX-License-Identifier: Apache-2.0
#include "apps/recorded_run.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "store/sqlite/sqlite_run_store.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

base::StatusOr<std::unique_ptr<ports::RunStore>> OpenForReading(const std::string& folder) {
  store::sqlite::RunStoreOptions options;
  options.read_only = true;
  return store::sqlite::OpenSqliteRunStore(folder + "/facts.db", options);
}

// A process may die between making the run's folder and its first commit.
bool WasAccepted(const std::string& folder) {
  const auto store = OpenForReading(folder);
  bool any = false;
  if (store.ok()) {
    (*store)
        ->ReadAll([&any](const ports::FactRow&) {
          any = true;
          return false;
        })
        .IgnoreError();
  }
  return any;
}

}  // namespace

base::StatusOr<model::RunId> FindRun(const StateDir& state, std::string_view name) {
  if (name != "latest") {
    return state.FindRun(name);
  }
  ASSIGN_OR_RETURN(const std::vector<model::RunId> runs, state.Runs());
  const auto found = std::find_if(runs.rbegin(), runs.rend(), [&](model::RunId run) {
    return WasAccepted(state.run_folder(run));
  });
  if (found == runs.rend()) {
    return base::NotFound("no run is kept in {}", state.root());
  }
  return *found;
}

base::StatusOr<RecordedRun> ReadRun(ports::RunStore& store, model::RunId run) {
  std::optional<view::Board> board;
  model::PlanRef written;
  model::PlanDigest digest;
  base::Status failed;
  RETURN_IF_ERROR(store.ReadAll([&](const ports::FactRow& row) {
    for (const model::Fact& fact : row.facts) {
      if (const auto* accepted = std::get_if<model::RunAccepted>(&fact.body);
          accepted != nullptr && accepted->run == run) {
        auto plan = store.LoadPlan(accepted->plan);
        if (!plan.ok()) {
          failed = plan.status();
          return false;
        }
        written = *std::move(plan);
        board.emplace(run, written);
        digest = accepted->plan;
      }
      if (board) {
        board->Apply(fact);
      }
    }
    return true;
  }));
  RETURN_IF_ERROR(failed);
  if (!board) {
    return base::NotFound("run {} was never accepted: its process died before; start it again",
                          model::ToText(run));
  }
  return RecordedRun{
      .folder = {}, .board = std::move(*board), .plan = std::move(written), .digest = digest};
}

base::StatusOr<RecordedRun> ReadRun(const StateDir& state, model::RunId run) {
  const std::string folder = state.run_folder(run);
  auto store = OpenForReading(folder);
  if (store.status().code() == absl::StatusCode::kNotFound) {
    return base::NotFound("run {} was never accepted: its process died before; start it again",
                          model::ToText(run));
  }
  RETURN_IF_ERROR(store.status());
  ASSIGN_OR_RETURN(RecordedRun recorded, ReadRun(**store, run));
  recorded.folder = folder;
  return recorded;
}

base::StatusOr<RecordedRun> ReadRun(std::string_view name) {
  ASSIGN_OR_RETURN(const StateDir state, StateDir::OpenForReading());
  ASSIGN_OR_RETURN(const model::RunId run, FindRun(state, name));
  return ReadRun(state, run);
}

}  // namespace apps
