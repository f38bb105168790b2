// SPDX-License-Identifier: Apache-2.0
#include "apps/view/json_lines.h"

#include <variant>

#include "apps/view/annotation_report.h"
#include "apps/view/json_text.h"
#include "apps/view/test_report.h"

namespace apps::view {
namespace {

struct Line {
  base::Instant at;
  std::string_view event;
  std::string_view job;
  model::AttemptNumber attempt = 0;  ///< 0: none
  std::string step;
  std::optional<model::Status> status;
  std::optional<std::int64_t> exit_code;
  const model::Reason* reason = nullptr;
  const std::array<std::uint32_t, model::kStatusCount>* counts = nullptr;
  const model::TestTotals* tests = nullptr;
  const model::AnnotationTotals* annotations = nullptr;
  std::size_t jobs = 0;  ///< of a `for_each`
};

void Write(const Board& board, const Line& line, std::string& out) {
  JsonObject object(out);
  object.Text("at", base::FormatInstant(line.at));
  object.Text("run", model::ToText(board.run()));
  object.TextOrNull("job", line.job);
  if (line.attempt == 0) {
    object.Null("attempt");
  } else {
    object.Number("attempt", line.attempt);
  }
  object.TextOrNull("step", line.step);
  object.Text("event", line.event);
  object.TextOrNull("status", line.status ? model::ToText(*line.status) : std::string_view());
  if (line.exit_code) {
    object.Number("exit_code", *line.exit_code);
  } else {
    object.Null("exit_code");
  }
  if (line.reason != nullptr && line.reason->code != model::ReasonCode::kNone) {
    object.Text("reason", model::ToText(line.reason->code));
    object.Text("message", model::Describe(*line.reason));
  } else {
    object.Null("reason");
  }
  if (line.counts != nullptr) {
    object.Raw("counts", CountsJson(*line.counts));
  }
  if (line.tests != nullptr) {
    object.Raw("tests", TestTotalsJson(*line.tests));
  }
  if (line.annotations != nullptr) {
    object.Raw("annotations", AnnotationCountsJson(line.annotations->counts));
  }
  if (line.jobs != 0) {
    object.Number("jobs", line.jobs);
  }
  object.End();
  out += '\n';
}

class FactWriter {
 public:
  FactWriter(const Board& board, base::Instant at, std::string& out)
      : board_(board), at_(at), out_(out) {}

  void operator()(const model::RunAccepted&) const {
    Write(board_, {.at = at_, .event = "run_started", .status = model::Status::kRunning}, out_);
  }
  void operator()(const model::RunEnded& fact) const {
    Write(board_,
          {.at = at_,
           .event = "run_ended",
           .status = fact.status,
           .reason = &fact.reason,
           .counts = &fact.counts},
          out_);
  }
  void operator()(const model::AttemptStarted& fact) const {
    Line line = AttemptLine(fact.key, "job_started");
    line.status = model::Status::kRunning;
    if (board_.job(fact.key.job).attempts_begun == 1) {
      line.attempt = 0;
      Write(board_, line, out_);
    }
    line.attempt = fact.key.attempt;
    line.event = "attempt_started";
    Write(board_, line, out_);
  }
  void operator()(const model::StepStarted& fact) const {
    Line line = StepLine(fact.key, fact.step, "step_started");
    line.status = model::Status::kRunning;
    Write(board_, line, out_);
  }
  void operator()(const model::StepEnded& fact) const {
    WriteStepEnd(fact.key, fact.step, fact.status, fact.reason);
  }
  void operator()(const model::AttemptEnded& fact) const {
    const AttemptState* attempt = board_.attempt(fact.key);
    if (attempt == nullptr || !attempt->begun) {
      return;
    }
    for (std::size_t i = 0; i < attempt->steps.size(); ++i) {
      const StepState& step = attempt->steps[i];
      if (step.ended_with_attempt) {
        WriteStepEnd(fact.key, model::StepIndex(static_cast<std::uint32_t>(i)), step.status,
                     step.reason);
      }
    }
    Line line = AttemptLine(fact.key, "attempt_ended");
    line.status = fact.status;
    line.exit_code = ExitCodeOf(fact.status, fact.reason);
    line.reason = &fact.reason;
    Write(board_, line, out_);
  }
  void operator()(const model::JobEnded& fact) const {
    const model::JobRemarks& remarks = fact.result->remarks;
    Write(board_,
          {.at = at_,
           .event = "job_ended",
           .job = board_.job_name(fact.job),
           .status = fact.result->status,
           .exit_code = JobExitCode(fact),
           .reason = &fact.result->reason,
           .tests = remarks.tests ? &*remarks.tests : nullptr,
           .annotations = remarks.annotations ? &*remarks.annotations : nullptr},
          out_);
  }
  void operator()(const model::JobsExpanded& fact) const {
    Write(board_,
          {.at = at_,
           .event = "jobs_expanded",
           .job = model::SpecOf(board_.plan(), fact.expansion.job).name,
           .status = model::Status::kWaiting,
           .jobs = fact.expansion.values.size()},
          out_);
  }
  void operator()(const model::RunQueued& fact) const {
    Write(board_,
          {.at = at_,
           .event = "run_queued",
           .status = model::Status::kWaiting,
           .reason = &fact.reason},
          out_);
  }
  void operator()(const model::RunAdmitted&) const {
    Write(board_, {.at = at_, .event = "run_admitted", .status = model::Status::kRunning}, out_);
  }
  void operator()(const model::JobDelayed& fact) const {
    const model::Reason reason{.code = model::ReasonCode::kWaitsForDelay, .until = fact.until};
    WriteWait(fact.job, "job_delayed", reason);
  }
  void operator()(const model::JobQueued& fact) const {
    WriteWait(fact.job, "job_queued", fact.reason);
  }
  void operator()(const model::ApprovalRequested& fact) const {
    WriteWait(fact.job, "approval_requested", fact.reason);
  }
  void operator()(const model::ApprovalDecided& fact) const {
    WriteWait(fact.job, fact.approved ? "approval_given" : "approval_rejected", {});
  }
  /// Not part of the interface.
  template <typename Other>
  void operator()(const Other&) const {}

 private:
  Line AttemptLine(const model::AttemptKey& key, std::string_view event) const {
    return {.at = at_, .event = event, .job = board_.job_name(key.job), .attempt = key.attempt};
  }
  Line StepLine(const model::AttemptKey& key, model::StepIndex step, std::string_view event) const {
    Line line = AttemptLine(key, event);
    line.step = model::StepName(model::SpecOf(board_.plan(), key.job), step);
    return line;
  }
  void WriteWait(model::JobIndex job, std::string_view event, const model::Reason& reason) const {
    Write(board_,
          {.at = at_,
           .event = event,
           .job = board_.job_name(job),
           .status = model::Status::kWaiting,
           .reason = &reason},
          out_);
  }
  void WriteStepEnd(const model::AttemptKey& key, model::StepIndex step, model::Status status,
                    const model::Reason& reason) const {
    Line line = StepLine(key, step, "step_ended");
    line.status = status;
    line.exit_code = ExitCodeOf(status, reason);
    line.reason = &reason;
    Write(board_, line, out_);
  }
  // Without an attempt there was no command whose exit code it could be.
  std::optional<std::int64_t> JobExitCode(const model::JobEnded& fact) const {
    if (board_.job(fact.job).attempts_begun == 0) {
      return std::nullopt;
    }
    return ExitCodeOf(fact.result->status, fact.result->reason);
  }

  const Board& board_;
  base::Instant at_;
  std::string& out_;
};

}  // namespace

void JsonLines::Resumed(const Board& board, base::Instant now, std::string& out) {
  Write(board, {.at = now, .event = "run_resumed", .status = model::Status::kRunning}, out);
}

void JsonLines::Fact(const Board& board, const model::Fact& fact, std::string& out) {
  if (model::RunOf(fact) == board.run()) {
    std::visit(FactWriter(board, fact.at, out), fact.body);
  }
}

std::string CountsJson(const std::array<std::uint32_t, model::kStatusCount>& counts) {
  std::string json;
  JsonObject object(json);
  for (int i = 0; i < model::kStatusCount; ++i) {
    const auto status = static_cast<model::Status>(i);
    if (model::IsFinal(status)) {
      object.Number(model::ToText(status), counts[static_cast<std::size_t>(i)]);
    }
  }
  object.End();
  return json;
}

std::optional<std::int64_t> ExitCodeOf(model::Status status, const model::Reason& reason) {
  if (reason.code == model::ReasonCode::kExitCode || reason.code == model::ReasonCode::kTolerated) {
    return reason.detail;
  }
  if (status == model::Status::kSucceeded && reason.code == model::ReasonCode::kNone) {
    return 0;
  }
  return std::nullopt;
}

}  // namespace apps::view
