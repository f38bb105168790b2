// SPDX-License-Identifier: Apache-2.0
#include "apps/view/run_details.h"

#include <fmt/format.h>

#include "apps/view/annotation_report.h"
#include "apps/view/json_lines.h"
#include "apps/view/json_text.h"
#include "apps/view/test_report.h"
#include "apps/view/utf8.h"

namespace apps::view {
namespace {

base::Duration TookOf(const AttemptState& attempt, base::Instant now) {
  if (!attempt.begun) {
    return base::Duration(0);
  }
  if (!attempt.ended) {
    return now - attempt.started_at;
  }
  return attempt.took != base::Duration(0) ? attempt.took : attempt.ended_at - attempt.started_at;
}

base::Duration TookOf(const StepState& step, base::Instant now) {
  return step.status == model::Status::kRunning ? now - step.started : step.took;
}

std::uint64_t LogBytes(const model::StepLog& log) {
  std::uint64_t bytes = 0;
  for (const model::LogRange& range : log.ranges) {
    bytes += range.length;
  }
  return bytes;
}

// ---- text

std::string Because(const model::Reason& reason) {
  const std::string why = Sanitise(model::Describe(reason));
  return why.empty() ? "" : "  " + why;
}

// All of it stands in the JSON.
std::string Brief(std::string_view value) {
  constexpr int kColumnsMax = 200;
  const std::string whole = Sanitise(value);
  std::string cut = CutToWidth(whole, kColumnsMax);
  if (cut.size() < whole.size()) {
    cut += fmt::format("  ({} bytes)", value.size());
  }
  return cut;
}

class Text {
 public:
  Text(const Board& board, base::Instant now, bool alive, const Look& look)
      : board_(board), now_(now), alive_(alive), look_(look) {}

  std::string Write() {
    Head();
    for (const StageGroup& stage : board_.stages()) {
      if (stage.jobs.empty()) {
        continue;
      }
      out_ += fmt::format("\n{}\n", Bold(stage.name.empty() ? "jobs" : stage.name, look_));
      for (const model::JobIndex job : stage.jobs) {
        Job(job);
      }
    }
    return std::move(out_);
  }

 private:
  void Line(std::string_view what, std::string_view value) {
    if (!value.empty()) {
      out_ += fmt::format("  {:<9} {}\n", what, value);
    }
  }

  void Head() {
    const bool ended = model::IsFinal(board_.status());
    const bool lost = !ended && !alive_;
    const base::Instant end = ended ? board_.ended_at() : now_;
    out_ += fmt::format(
        "{} run {}  {}  {}", Paint(Mark(board_.status(), look_.unicode), board_.status(), look_),
        model::ToText(board_.run()), Bold(board_.plan().name, look_),
        lost ? "left unfinished" : Paint(Words(board_.status()), board_.status(), look_));
    out_ += lost ? "\n"
                 : fmt::format(" {} {}\n", ended ? "in" : "for",
                               base::FormatDuration(end - board_.accepted_at()));
    if (const auto& context = board_.context()) {
      Line("pipeline", context->pipeline_file);
      Line("source", context->source);
      Line("branch", context->branch);
      Line("commit", context->commit);
      Line("started", fmt::format("{} by {} ({})", base::FormatInstant(board_.accepted_at()),
                                  context->by, context->event));
      for (const model::NamedValue& input : context->inputs) {
        Line("input", fmt::format("{} = {}", input.name, Sanitise(input.value)));
      }
    }
    Line("jobs", CountsText(board_.counts()));
    Line("reason", Sanitise(model::Describe(board_.reason())));
    if (lost) {
      Line("continue", fmt::format("dayfly run --resume {}", model::ToText(board_.run())));
    }
  }

  void Job(model::JobIndex job) {
    const JobState& state = board_.job(job);
    const std::string took =
        state.attempts_begun == 0 ? "" : "  " + base::FormatDuration(ElapsedOf(state, now_));
    out_ += fmt::format("  {} {}  {}{}{}\n",
                        Paint(Mark(state.status, look_.unicode), state.status, look_),
                        board_.job_name(job), Words(state.status), took, Because(state.reason));
    if (!state.environment.empty()) {
      out_ += fmt::format("      environment {}  {}\n", Sanitise(state.environment),
                          Sanitise(state.environment_url));
    }
    if (!state.approval.by.empty()) {
      out_ += fmt::format("      answered by {}\n", Sanitise(state.approval.by));
    }
    for (const AttemptState& attempt : state.attempts) {
      if (attempt.begun) {
        Attempt(job, attempt, state.attempts_begun > 1);
      }
    }
    if (state.result != nullptr) {
      for (const model::NamedValue& output : state.result->outputs) {
        out_ += fmt::format("      output {} = {}\n", output.name, Brief(output.value));
      }
      for (const model::SpilledOutput& output : state.result->spilled) {
        out_ += fmt::format("      output {}  {} bytes, in the artifact store\n", output.name,
                            output.bytes);
      }
      for (const model::Artifact& artifact : state.result->artifacts) {
        out_ += fmt::format("      artifact {}  {} files, {} bytes\n", Sanitise(artifact.name),
                            artifact.files, artifact.bytes);
      }
      if (const auto& tests = state.result->remarks.tests) {
        out_ += fmt::format("      {}  (dayfly show {} --tests)\n", TestsInBrief(*tests),
                            model::ToText(board_.run()));
      }
      for (const std::string& note : state.result->remarks.notes) {
        out_ += fmt::format("      {}\n", Sanitise(note));
      }
      if (const auto& annotations = state.result->remarks.annotations) {
        out_ += fmt::format("      annotations: {}\n", CountsInWords(annotations->counts));
      }
    }
  }

  void Attempt(model::JobIndex job, const AttemptState& attempt, bool titled) {
    if (titled) {
      out_ += fmt::format("      attempt {}  {}  {}{}{}\n", attempt.number, Words(attempt.status),
                          base::FormatDuration(TookOf(attempt, now_)),
                          attempt.infra ? "  infrastructure" : "", Because(attempt.reason));
    }
    for (std::size_t i = 0; i < attempt.steps.size(); ++i) {
      const StepState& step = attempt.steps[i];
      const std::string lost =
          step.log.lost_bytes == 0
              ? std::string()
              : fmt::format("  {} bytes of its log are missing", step.log.lost_bytes);
      out_ += fmt::format("      {} {}  {}{}{}\n",
                          Paint(Mark(step.status, look_.unicode), step.status, look_),
                          StepTitle(model::SpecOf(board_.plan(), job),
                                    model::StepIndex(static_cast<std::uint32_t>(i))),
                          base::FormatDuration(TookOf(step, now_)), Because(step.reason), lost);
    }
  }

  const Board& board_;
  base::Instant now_;
  bool alive_;
  const Look& look_;
  std::string out_;
};

// ---- JSON

void ReasonMembers(JsonObject& object, const model::Reason& reason) {
  const bool none = reason.code == model::ReasonCode::kNone;
  object.TextOrNull("reason", none ? std::string_view() : model::ToText(reason.code));
  object.TextOrNull("message", model::Describe(reason));
}

void InstantOrNull(JsonObject& object, std::string_view name, base::Instant at) {
  object.TextOrNull(name, at == base::Instant{} ? std::string() : base::FormatInstant(at));
}

template <typename Items, typename Write>
std::string List(const Items& items, Write write) {
  std::string json = "[";
  for (const auto& item : items) {
    json += json.size() > 1 ? "," : "";
    write(item, json);
  }
  return json + "]";
}

std::string Values(const std::vector<model::NamedValue>& values) {
  std::string json;
  JsonObject object(json);
  for (const model::NamedValue& value : values) {
    object.Raw(value.name, value.value);
  }
  object.End();
  return json;
}

class Json {
 public:
  Json(const Board& board, base::Instant now, bool alive)
      : board_(board), now_(now), alive_(alive) {}

  std::string Write() const {
    std::string json;
    JsonObject object(json);
    object.Text("run", model::ToText(board_.run()));
    object.Text("pipeline", board_.plan().name);
    object.Text("status", model::ToText(board_.status()));
    object.Bool("alive", alive_);
    ReasonMembers(object, board_.reason());
    if (const auto& context = board_.context()) {
      object.Text("file", context->pipeline_file);
      object.Text("source", context->source);
      object.TextOrNull("commit", context->commit);
      object.TextOrNull("branch", context->branch);
      object.TextOrNull("tag", context->tag);
      object.TextOrNull("tree", context->tree);
      object.Text("event", context->event);
      object.Text("by", context->by);
      object.Raw("inputs", Values(context->inputs));
    }
    InstantOrNull(object, "accepted_at", board_.accepted_at());
    InstantOrNull(object, "ended_at", board_.ended_at());
    object.Raw("counts", CountsJson(board_.counts()));
    object.Raw("jobs", Jobs());
    object.End();
    return json;
  }

 private:
  std::string Jobs() const {
    std::string json = "[";
    for (std::uint32_t i = 0; i < board_.job_count(); ++i) {
      json += i == 0 ? "" : ",";
      Job(model::JobIndex(i), json);
    }
    return json + "]";
  }

  void Job(model::JobIndex job, std::string& json) const {
    const JobState& state = board_.job(job);
    JsonObject object(json);
    object.Text("id", board_.job_name(job));
    object.TextOrNull("stage", board_.stages()[board_.stage_of(job)].name);
    object.Text("status", model::ToText(state.status));
    ReasonMembers(object, state.reason);
    object.Number("took_us", ElapsedOf(state, now_).count());
    object.Raw("outputs",
               Values(state.result ? state.result->outputs : std::vector<model::NamedValue>()));
    object.Raw("spilled",
               List(state.result ? state.result->spilled : std::vector<model::SpilledOutput>(),
                    [](const model::SpilledOutput& output, std::string& out) {
                      JsonObject each(out);
                      each.Text("name", output.name);
                      each.Number("bytes", output.bytes);
                      each.End();
                    }));
    object.Raw("artifacts",
               List(state.result ? state.result->artifacts : std::vector<model::Artifact>(),
                    [](const model::Artifact& artifact, std::string& out) {
                      JsonObject each(out);
                      each.Text("name", artifact.name);
                      each.Number("bytes", artifact.bytes);
                      each.Number("files", artifact.files);
                      each.End();
                    }));
    const model::JobRemarks remarks = state.result ? state.result->remarks : model::JobRemarks{};
    if (remarks.tests) {
      object.Raw("tests", TestTotalsJson(*remarks.tests));
    } else {
      object.Null("tests");
    }
    object.Raw("notes", List(remarks.notes, [](const std::string& note, std::string& out) {
                 AppendJsonString(out, note);
               }));
    if (remarks.annotations) {
      object.Raw("annotations", AnnotationCountsJson(remarks.annotations->counts));
    } else {
      object.Null("annotations");
    }
    std::vector<AttemptState> begun;
    for (const AttemptState& attempt : state.attempts) {
      if (attempt.begun) {
        begun.push_back(attempt);
      }
    }
    object.Raw("attempts", List(begun, [&](const AttemptState& attempt, std::string& out) {
                 Attempt(job, attempt, out);
               }));
    object.TextOrNull("environment", state.environment);
    object.TextOrNull("environment_url", state.environment_url);
    object.TextOrNull("answered_by", state.approval.by);
    object.End();
  }

  void Attempt(model::JobIndex job, const AttemptState& attempt, std::string& json) const {
    JsonObject object(json);
    object.Number("attempt", attempt.number);
    object.Text("status", model::ToText(attempt.status));
    object.Bool("infra", attempt.infra);
    ReasonMembers(object, attempt.reason);
    InstantOrNull(object, "started_at", attempt.started_at);
    InstantOrNull(object, "ended_at", attempt.ended_at);
    object.Number("took_us", TookOf(attempt, now_).count());
    std::string steps = "[";
    for (std::size_t i = 0; i < attempt.steps.size(); ++i) {
      steps += i == 0 ? "" : ",";
      Step(job, model::StepIndex(static_cast<std::uint32_t>(i)), attempt.steps[i], steps);
    }
    object.Raw("steps", steps + "]");
    object.End();
  }

  void Step(model::JobIndex job, model::StepIndex index, const StepState& step,
            std::string& json) const {
    const model::JobSpec& spec = model::SpecOf(board_.plan(), job);
    JsonObject object(json);
    object.Text("step", model::StepName(spec, index));
    object.Text("name", StepTitle(spec, index));
    object.Text("status", model::ToText(step.status));
    if (const auto code = ExitCodeOf(step.status, step.reason)) {
      object.Number("exit_code", *code);
    } else {
      object.Null("exit_code");
    }
    ReasonMembers(object, step.reason);
    InstantOrNull(object, "started_at", step.started);
    object.Number("took_us", TookOf(step, now_).count());
    object.Number("log_bytes", LogBytes(step.log));
    object.Bool("log_truncated", step.log.truncated);
    object.Number("log_lost_bytes", step.log.lost_bytes);
    object.End();
  }

  const Board& board_;
  base::Instant now_;
  bool alive_;
};

}  // namespace

std::string RunDetailsText(const Board& board, base::Instant now, bool alive, const Look& look) {
  return Text(board, now, alive, look).Write();
}

std::string RunDetailsJson(const Board& board, base::Instant now, bool alive) {
  return Json(board, now, alive).Write() + "\n";
}

}  // namespace apps::view
