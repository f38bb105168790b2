// SPDX-License-Identifier: Apache-2.0
#include "dsl/plan_view.h"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "dsl/compile.h"
#include "dsl/keys.h"
#include "dsl/plan_drawing.h"
#include "dsl/plan_edges.h"
#include "dsl/values.h"

namespace dsl {
namespace {

using engine::base::AsIndex;
using engine::model::JobIndex;
using engine::model::JobSpec;
using engine::model::kNoStage;
using engine::model::Need;
using engine::model::NeedOn;
using engine::model::Plan;
using engine::model::PlannedJob;

/// Of a list of needs in a table, what is not cut off.
constexpr std::size_t kNeedsShownMax = 48;

const Activity& ActivityOf(const std::vector<Activity>& activities, std::uint32_t job) {
  static const Activity kActive;
  return activities.empty() ? kActive : activities[job];
}

// ---- JSON

void AppendNeed(std::string_view job, NeedOn on, bool optional, bool& first, std::string& out) {
  out += first ? "{\"job\":" : ",{\"job\":";
  first = false;
  AppendJsonString(job, out);
  fmt::format_to(std::back_inserter(out), ",\"on\":\"{}\",\"optional\":{}}}", ToText(on), optional);
}

void AppendMatrix(const Plan& plan, const PlannedJob& job, std::string& out) {
  const JobSpec& spec = plan.specs[AsIndex(job.spec)];
  out += '{';
  bool first = true;
  for (std::size_t i = 0; spec.matrix != nullptr && i < spec.matrix->keys.size(); ++i) {
    if (job.cell[i].empty()) {
      continue;
    }
    out += first ? "" : ",";
    first = false;
    AppendJsonString(spec.matrix->keys[i], out);
    out += ':';
    out += job.cell[i];
  }
  out += '}';
}

void AppendNeeds(const Plan& plan, const PlanEdges& edges, JobIndex job, bool expand,
                 BufferedText& out) {
  bool first = true;
  if (expand) {
    edges.Visit(job, [&](const Edge& edge) {
      AppendNeed(JobName(plan, edge.to), edge.on, edge.optional, first, out.text());
    });
    return;
  }
  const JobSpec& spec = SpecOf(plan, job);
  for (const Need& need : spec.needs) {
    if (need.cells != 0) {
      for (const JobIndex cell : CellsOfNeed(spec, need)) {
        AppendNeed(JobName(plan, cell), need.on, need.optional, first, out.text());
      }
      continue;
    }
    AppendNeed(plan.specs[AsIndex(need.spec)].name, need.on, need.optional, first, out.text());
  }
}

void WriteJson(const Plan& plan, const std::vector<Activity>& activities, const PlanEdges& edges,
               bool expand, BufferedText& out) {
  out.text() += fmt::format("{{\"name\":{},\"jobs\":[", JsonString(plan.name));
  for (std::uint32_t i = 0; i < plan.jobs.size(); ++i) {
    const JobSpec& spec = SpecOf(plan, JobIndex(i));
    const Activity& activity = ActivityOf(activities, i);
    std::string& begin = out.text();
    begin += i == 0 ? "\n{\"id\":" : ",\n{\"id\":";
    AppendJsonString(JobName(plan, JobIndex(i)), begin);
    begin += ",\"stage\":";
    begin += spec.stage == kNoStage ? "null" : JsonString(plan.stages[spec.stage].name);
    begin += ",\"needs\":[";
    AppendNeeds(plan, edges, JobIndex(i), expand, out);
    std::string& end = out.text();
    end += "],\"matrix\":";
    AppendMatrix(plan, plan.jobs[i], end);
    end += activity.active ? ",\"active\":true,\"reason\":" : ",\"active\":false,\"reason\":";
    AppendJsonString(activity.reason, end);
    end += '}';
  }
  out.text() += "]}\n";
}

// ---- text

std::size_t ColumnsOf(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string Padded(std::string_view text, std::size_t width) {
  const std::size_t columns = ColumnsOf(text);
  return std::string(text) + std::string(width - std::min(width, columns), ' ');
}

/// `a, b on end, …`, and how many there are when some are cut off.
class NeedsText {
 public:
  void Add(std::string_view job, NeedOn on, bool optional) {
    ++count_;
    if (text_.size() > kNeedsShownMax) {
      return;
    }
    ++shown_;
    text_ += fmt::format("{}{}", text_.empty() ? "" : ", ", job);
    text_ += on == NeedOn::kSuccess ? "" : fmt::format(" on {}", ToText(on));
    text_ += optional ? " (optional)" : "";
  }
  std::string Take() const {
    return shown_ == count_ ? text_ : fmt::format("{}, … ({} in all)", text_, count_);
  }

 private:
  std::string text_;
  std::size_t count_ = 0;
  std::size_t shown_ = 0;
};

std::string NeedsOf(const Plan& plan, const PlanEdges& edges, JobIndex job, bool expand) {
  NeedsText text;
  const JobSpec& spec = SpecOf(plan, job);
  if (expand) {
    edges.Visit(
        job, [&](const Edge& edge) { text.Add(JobName(plan, edge.to), edge.on, edge.optional); });
    return text.Take();
  }
  for (const Need& need : spec.needs) {
    if (need.cells != 0) {
      for (const JobIndex cell : CellsOfNeed(spec, need)) {
        text.Add(JobName(plan, cell), need.on, need.optional);
      }
      continue;
    }
    text.Add(plan.specs[AsIndex(need.spec)].name, need.on, need.optional);
  }
  if (!spec.has_needs && spec.stage != kNoStage && spec.stage > 0) {
    return "(all earlier stages)";
  }
  return text.Take();
}

struct Widths {
  std::size_t job = 3;
  std::size_t stage = 5;
  std::size_t needs = 5;
};

Widths MeasureTable(const Plan& plan, const PlanEdges& edges, bool expand) {
  Widths widths;
  for (const engine::model::StageSpec& stage : plan.stages) {
    widths.stage = std::max(widths.stage, ColumnsOf(stage.name));
  }
  for (std::uint32_t i = 0; i < plan.jobs.size(); ++i) {
    widths.job = std::max(widths.job, ColumnsOf(JobName(plan, JobIndex(i))));
    widths.needs = std::max(widths.needs, ColumnsOf(NeedsOf(plan, edges, JobIndex(i), expand)));
  }
  return widths;
}

void AppendRow(std::string line, std::string& out) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += line;
  out += '\n';
}

void WriteText(const Plan& plan, const std::vector<Activity>& activities, const PlanEdges& edges,
               bool expand, BufferedText& out) {
  const Widths widths = MeasureTable(plan, edges, expand);
  const bool staged = !plan.stages.empty();
  const auto row = [&](std::string_view job, std::string_view stage, std::string_view needs,
                       std::string_view runs) {
    AppendRow(fmt::format("{}  {}{}{}  {}", Padded(job, widths.job),
                          staged ? Padded(stage, widths.stage) : "", staged ? "  " : "",
                          Padded(needs, widths.needs), runs),
              out.text());
  };
  std::size_t active = 0;
  row("JOB", "STAGE", "NEEDS", "RUNS");
  for (std::uint32_t i = 0; i < plan.jobs.size(); ++i) {
    const JobSpec& spec = SpecOf(plan, JobIndex(i));
    const Activity& activity = ActivityOf(activities, i);
    active += activity.active ? 1 : 0;
    std::string runs = activity.active ? "yes" : "no";
    runs += activity.reason.empty() ? "" : fmt::format(" ({})", activity.reason);
    row(JobName(plan, JobIndex(i)), spec.stage == kNoStage ? "" : plan.stages[spec.stage].name,
        NeedsOf(plan, edges, JobIndex(i), expand), runs);
  }
  out.text() += fmt::format("{}: {} of {} jobs run\n", plan.name, active, plan.jobs.size());
}

// ---- defaults

std::string_view LevelPrefix(Level level) {
  static constexpr std::array<std::string_view, kLevelCount> kPrefixes = {
      "",
      "include[].",
      "templates.NAME.",
      "on.",
      "on.EVENT.",
      "on.schedule[].",
      "inputs.NAME.",
      "defaults.",
      "jobs.NAME.",
      "jobs.NAME.extends[].",
      "jobs.NAME.needs[].",
      "jobs.NAME.matrix.",
      "jobs.NAME.for_each.",
      "jobs.NAME.retry.",
      "jobs.NAME.retry.backoff.",
      "jobs.NAME.allow_failure.",
      "jobs.NAME.concurrency.",
      "jobs.NAME.approval.",
      "jobs.NAME.environment.",
      "jobs.NAME.resources.",
      "jobs.NAME.services.NAME.",
      "jobs.NAME.services.NAME.ready.",
      "jobs.NAME.artifacts.",
      "jobs.NAME.artifacts.upload[].",
      "jobs.NAME.artifacts.reports.",
      "jobs.NAME.cache.",
      "jobs.NAME.reuse.",
      "jobs.NAME.checkout.",
      "jobs.NAME.steps[].",
  };
  return level == Level::kNone ? "" : kPrefixes[static_cast<std::size_t>(level)];
}

/// The key, or every map that it may stand in, does nothing yet.
bool IsLater(const KeyRow& row) {
  bool has_outer = false;
  bool all_later = true;
  for (const KeyRow& outer : AllKeys()) {
    if (outer.type.inner == row.level) {
      has_outer = true;
      all_later = all_later && IsLater(outer);
    }
  }
  return row.since == Since::kLater || (has_outer && all_later);
}

}  // namespace

engine::base::Status WritePlan(const Plan& plan, const std::vector<Activity>& activities,
                               const PlanViewOptions& options, const TextSink& sink) {
  const PlanEdges edges(plan);
  if (options.edges && edges.count() > options.edges_max) {
    return engine::base::ResourceExhausted(
        "the plan has {} edges between single jobs, more than the {} that are printed; without "
        "--edges needs are shown as they are written",
        edges.count(), options.edges_max);
  }
  BufferedText out(sink);
  switch (options.format) {
    case PlanFormat::kJson:
      WriteJson(plan, activities, edges, options.edges, out);
      break;
    case PlanFormat::kText:
      WriteText(plan, activities, edges, options.edges, out);
      break;
    case PlanFormat::kDot:
      DrawDot({plan, activities, edges, options.edges}, out);
      break;
    case PlanFormat::kMermaid:
      DrawMermaid({plan, activities, edges, options.edges}, out);
      break;
  }
  return engine::base::OkStatus();
}

std::string DefaultsText() {
  const engine::model::Defaults& defaults = engine::model::DefaultSettings();
  std::string text;
  const auto line = [&](const std::string& what, std::string_view value, std::string_view meaning) {
    text += fmt::format("{}  {}  {}\n", Padded(what, 34), Padded(value, 31), meaning);
  };
  for (const KeyRow& row : AllKeys()) {
    if (!row.fallback.empty()) {
      line(fmt::format("{}{}", LevelPrefix(row.level), row.key), row.fallback,
           fmt::format("{}{}", row.meaning, IsLater(row) ? " (later)" : ""));
    }
  }
  text += '\n';
  const engine::model::RetrySpec& pauses = defaults.infra_backoff;
  const std::string backoff =
      fmt::format("{} x{} up to {}, ±{:.0f} %", engine::base::FormatDuration(pauses.initial),
                  pauses.factor, engine::base::FormatDuration(pauses.longest), pauses.jitter * 100);
  line("infrastructure retries", fmt::format("{}, backoff {}", defaults.infra_retries, backoff),
       "by the engine; they spend none of `retry.max`");
  line("cancel: grace", engine::base::FormatDuration(defaults.cancel_grace),
       "between the signal and the kill");
  line("cancel: budget of `finally`", engine::base::FormatDuration(defaults.finally_budget),
       "how long `finally` steps may take");
  line("an output", fmt::format("{} KiB", defaults.inline_output_bytes >> 10),
       "in the run's log; larger ones go to the artifact store, up to 4 MiB each");
  line("jobs in a run", fmt::format("{}", defaults.jobs_max), "at most, cells counted");
  line("included files", fmt::format("{}", CompileOptions().includes_max),
       "at most; DAYFLY_INCLUDES_MAX sets another number");
  line("pipeline file", fmt::format("{} MiB", defaults.file_bytes_max >> 20),
       "at most, each; DAYFLY_FILE_BYTES_MAX sets another number of bytes");
  return text;
}

}  // namespace dsl
