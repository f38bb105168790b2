// SPDX-License-Identifier: Apache-2.0
#include "apps/runs_command.h"

#include <cstdio>
#include <map>
#include <unistd.h>

#include "apps/exit_code.h"
#include "apps/run_lock.h"
#include "apps/state_dir.h"
#include "apps/terminal.h"
#include "apps/view/json_lines.h"
#include "apps/view/json_text.h"
#include "apps/view/summary.h"
#include "apps/view/utf8.h"
#include "store/sqlite/run_index.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

// An open run whose process is gone waits for `--resume`.
bool IsLeft(const ports::RunRow& row) {
  return !model::IsFinal(row.status) && !OwnerOf(row.folder);
}

std::string AsJson(const ports::RunRow& row) {
  std::string json;
  view::JsonObject object(json);
  object.Text("run", model::ToText(row.run));
  object.Text("pipeline", row.pipeline);
  object.Text("status", model::ToText(row.status));
  object.Bool("alive", !model::IsFinal(row.status) && !IsLeft(row));
  object.Text("file", row.pipeline_file);
  object.Text("source", row.source);
  object.TextOrNull("commit", row.commit);
  object.TextOrNull("branch", row.branch);
  object.Text("event", row.event);
  object.Text("accepted_at", base::FormatInstant(row.accepted_at));
  object.TextOrNull("ended_at", row.ended_at ? base::FormatInstant(*row.ended_at) : "");
  object.Raw("counts", view::CountsJson(row.counts));
  object.End();
  return json + "\n";
}

std::string AsLine(const ports::RunRow& row, base::Instant now, const view::Look& look) {
  const base::Instant end = row.ended_at.value_or(now);
  const bool left = IsLeft(row);
  std::string status(left ? "unfinished" : view::Words(row.status));
  status.append(status.size() < 10 ? 10 - status.size() : 0, ' ');
  return fmt::format("{}  {} {}  {:>7}  {}  {:<16}  {}\n", model::ToText(row.run),
                     view::Paint(view::Mark(row.status, look.unicode), row.status, look),
                     view::Paint(status, row.status, look),
                     left ? "" : base::FormatDuration(end - row.accepted_at),
                     base::FormatInstant(row.accepted_at).substr(0, 16),
                     view::CutToWidth(row.pipeline, 16), row.source);
}

}  // namespace

int RunsCommand(const RunsOptions& options) {
  const auto state = StateDir::OpenForReading();
  if (!state.ok()) {
    return Fail(state.status());
  }
  store::sqlite::RunIndexOptions index_options;
  index_options.read_only = true;
  const auto index = store::sqlite::OpenRunIndex(state->index(), index_options);
  if (!index.ok()) {
    return Fail(kExitEngine, base::Message(index.status()));
  }
  ports::RunFilter filter;
  filter.limit = options.limit;
  const auto rows = (*index)->ListRuns(filter);
  if (!rows.ok()) {
    return Fail(kExitEngine, base::Message(rows.status()));
  }
  const view::Look look = LookOf(STDOUT_FILENO);
  const base::Instant now = WallClock();
  std::string out;
  for (const ports::RunRow& row : *rows) {
    out += options.format == "json"  ? AsJson(row)
           : options.format == "ids" ? model::ToText(row.run) + "\n"
                                     : AsLine(row, now, look);
  }
  if (rows->empty() && options.format == "text") {
    out = fmt::format("no run is kept in {}\n", state->root());
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  return kExitOk;
}

}  // namespace apps
