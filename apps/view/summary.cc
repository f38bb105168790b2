// SPDX-License-Identifier: Apache-2.0
#include "apps/view/summary.h"

#include <algorithm>

#include <fmt/format.h>

#include "apps/view/test_report.h"
#include "apps/view/utf8.h"

namespace apps::view {
namespace {

constexpr std::size_t kJobsShown = 20;
constexpr std::size_t kErrorsShown = 5;

std::string_view Color(model::Status status) {
  switch (status) {
    case model::Status::kSucceeded:
      return "\x1b[32m";
    case model::Status::kFailed:
    case model::Status::kTimedOut:
      return "\x1b[31m";
    case model::Status::kWarned:
    case model::Status::kCancelled:
      return "\x1b[33m";
    case model::Status::kRunning:
      return "\x1b[36m";
    case model::Status::kWaiting:
    case model::Status::kReady:
    case model::Status::kSkipped:
      return "\x1b[2m";
  }
  return "";
}

std::string Wrap(std::string_view text, std::string_view code, const Look& look) {
  return look.color ? fmt::format("{}{}\x1b[0m", code, text) : std::string(text);
}

const AttemptState* LastBegun(const JobState& job) {
  const auto found = std::find_if(job.attempts.rbegin(), job.attempts.rend(),
                                  [](const AttemptState& attempt) { return attempt.begun; });
  return found == job.attempts.rend() ? nullptr : &*found;
}

void AppendSteps(const Board& board, model::JobIndex job, const StepTails& tails, const Look& look,
                 std::string& out) {
  const AttemptState* attempt = LastBegun(board.job(job));
  if (attempt == nullptr) {
    return;
  }
  const model::AttemptKey key{.run = board.run(), .job = job, .attempt = attempt->number};
  for (const model::StepIndex step : TroubledSteps(*attempt)) {
    const StepState& state = attempt->steps[base::AsIndex(step)];
    out += fmt::format("      step {}: {}\n", StepTitle(model::SpecOf(board.plan(), job), step),
                       model::Describe(state.reason));
    const auto tail = tails.find({key, step});
    if (tail == tails.end()) {
      continue;
    }
    for (const std::string& line : tail->second) {
      out += fmt::format("      {} {}\n", Dim("|", look), line);
    }
  }
}

void AppendErrors(const model::AnnotationTotals& annotations, std::string& out) {
  const std::size_t shown = std::min(annotations.errors.size(), kErrorsShown);
  for (std::size_t i = 0; i < shown; ++i) {
    out += fmt::format("      error: {}\n", Sanitise(annotations.errors[i]));
  }
  if (annotations.counts.errors > shown) {
    out += fmt::format("      and {} more errors\n", annotations.counts.errors - shown);
  }
}

void AppendJob(const Board& board, model::JobIndex job, const StepTails& tails, const Look& look,
               std::string& out) {
  const JobState& state = board.job(job);
  std::string why = model::Describe(state.reason);
  if (!why.empty()) {
    why = ": " + why;
  }
  out += fmt::format("  {} {} {}{}\n", Paint(Mark(state.status, look.unicode), state.status, look),
                     Bold(board.job_name(job), look), Words(state.status), why);
  AppendSteps(board, job, tails, look, out);
  if (state.result != nullptr && state.result->remarks.tests) {
    out += fmt::format("      tests: {}\n", TestsInBrief(*state.result->remarks.tests));
  }
  if (state.result != nullptr && state.result->remarks.annotations) {
    AppendErrors(*state.result->remarks.annotations, out);
  }
  if (state.attempts_begun != 0) {
    out +=
        fmt::format("      {}\n", Dim(fmt::format("dayfly logs {} {}", model::ToText(board.run()),
                                                  ShellQuote(board.job_name(job))),
                                      look));
  }
}

}  // namespace

std::string_view Mark(model::Status status, bool unicode) {
  switch (status) {
    case model::Status::kWaiting:
      return unicode ? "◌" : ".";
    case model::Status::kReady:
      return unicode ? "○" : "o";
    case model::Status::kRunning:
      return unicode ? "●" : "*";
    case model::Status::kSucceeded:
      return unicode ? "✓" : "+";
    case model::Status::kFailed:
      return unicode ? "✗" : "x";
    case model::Status::kWarned:
      return "!";
    case model::Status::kSkipped:
      return unicode ? "–" : "-";
    case model::Status::kCancelled:
      return unicode ? "■" : "#";
    case model::Status::kTimedOut:
      return unicode ? "⧖" : "T";
  }
  return "?";
}

std::string Paint(std::string_view text, model::Status status, const Look& look) {
  return Wrap(text, Color(status), look);
}
std::string Dim(std::string_view text, const Look& look) {
  return Wrap(text, "\x1b[2m", look);
}
std::string Bold(std::string_view text, const Look& look) {
  return Wrap(text, "\x1b[1m", look);
}

std::string CountsText(const std::array<std::uint32_t, model::kStatusCount>& counts) {
  // Most telling first.
  constexpr model::Status kOrder[] = {
      model::Status::kRunning,   model::Status::kFailed, model::Status::kTimedOut,
      model::Status::kCancelled, model::Status::kWarned, model::Status::kSucceeded,
      model::Status::kSkipped,   model::Status::kReady,  model::Status::kWaiting};
  std::string text;
  for (const model::Status status : kOrder) {
    const std::uint32_t count = counts[static_cast<std::size_t>(status)];
    if (count != 0) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, Words(status));
    }
  }
  return text.empty() ? "no jobs" : text;
}

std::string_view Words(model::Status status) {
  return status == model::Status::kTimedOut ? "timed out" : model::ToText(status);
}

std::string ShellQuote(std::string_view text) {
  const auto harmless = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./:=@%+,").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, harmless)) {
    return std::string(text);
  }
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string StepTitle(const model::JobSpec& spec, model::StepIndex step) {
  const model::StepSpec* found = model::StepAt(spec, step);
  if (found == nullptr) {
    return fmt::format("{}", step.value() + 1);
  }
  if (!found->name.empty()) {
    return Sanitise(found->name);
  }
  if (!found->id.empty()) {
    return found->id;
  }
  const std::string first_line = found->run.text.substr(0, found->run.text.find('\n'));
  return first_line.empty() ? model::StepName(spec, step) : CutToWidth(Sanitise(first_line), 60);
}

base::Duration ElapsedOf(const JobState& job, base::Instant now) {
  const AttemptState* attempt = LastBegun(job);
  if (attempt == nullptr) {
    return base::Duration(0);
  }
  if (attempt->ended) {
    return attempt->took != base::Duration(0) ? attempt->took
                                              : attempt->ended_at - attempt->started_at;
  }
  return std::max(base::Duration(0), now - attempt->started_at);
}

std::string Summary(const Board& board, base::Instant now, const StepTails& tails,
                    const Look& look) {
  const bool ended = model::IsFinal(board.status());
  const base::Instant end = ended ? board.ended_at() : now;
  std::string out = fmt::format(
      "{} run {} {}", Paint(Mark(board.status(), look.unicode), board.status(), look),
      model::ToText(board.run()),
      ended ? Paint(Words(board.status()), board.status(), look) : "was left unfinished");
  out += fmt::format(" in {}: {}\n", base::FormatDuration(end - board.accepted_at()),
                     CountsText(board.counts()));
  std::size_t shown = 0;
  for (const model::JobIndex job : board.troubled()) {
    if (shown++ == kJobsShown) {
      out += fmt::format("  and {} more: dayfly show {}\n", board.troubled().size() - kJobsShown,
                         model::ToText(board.run()));
      break;
    }
    AppendJob(board, job, tails, look, out);
  }
  if (board.lost_log_bytes() != 0) {
    out +=
        fmt::format("  {} bytes of the logs are missing: {}\n", board.lost_log_bytes(), kWhyLost);
  }
  if (!ended) {
    out += fmt::format("  continue it with: dayfly run --resume {}\n", model::ToText(board.run()));
  }
  return out;
}

}  // namespace apps::view
