// SPDX-License-Identifier: Apache-2.0
#include "apps/runs_command.h"

#include <cstdio>
#include <unistd.h>

#include "apps/exit_code.h"
#include "apps/run_access.h"
#include "apps/terminal.h"
#include "apps/view/json_lines.h"
#include "apps/view/json_text.h"
#include "apps/view/summary.h"
#include "apps/view/utf8.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

std::string AsJson(const ports::RunRow& row, bool left) {
  std::string json;
  view::JsonObject object(json);
  object.Text("run", model::ToText(row.run));
  object.Text("pipeline", row.pipeline);
  object.Text("status", model::ToText(row.status));
  object.Bool("alive", !model::IsFinal(row.status) && !left);
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

std::string AsLine(const ports::RunRow& row, bool left, base::Instant now, const view::Look& look) {
  const base::Instant end = row.ended_at.value_or(now);
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
  const auto runs = OpenRuns(options.server);
  if (!runs.ok()) {
    return Fail(runs.status());
  }
  ports::RunFilter filter;
  filter.limit = options.limit;
  const auto rows = (*runs)->List(filter);
  if (!rows.ok()) {
    return Fail(rows.status());
  }
  const view::Look look = LookOf(STDOUT_FILENO);
  const base::Instant now = WallClock();
  std::string out;
  for (const ports::RunRow& row : *rows) {
    const bool left = options.format != "ids" && (*runs)->IsLeft(row);
    out += options.format == "json"  ? AsJson(row, left)
           : options.format == "ids" ? model::ToText(row.run) + "\n"
                                     : AsLine(row, left, now, look);
  }
  if (rows->empty() && options.format == "text") {
    out = fmt::format("no run is kept in {}\n", (*runs)->place());
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  return kExitOk;
}

}  // namespace apps
