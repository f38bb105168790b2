// SPDX-License-Identifier: Apache-2.0
#include "apps/view/plain.h"

#include <variant>

#include <fmt/format.h>

#include "apps/view/annotation_report.h"
#include "apps/view/test_report.h"
#include "apps/view/utf8.h"

namespace apps::view {
namespace {

// One line per thing a reader waits for. Success of a single step is not news: its output stands
// there already.
class FactLines {
 public:
  FactLines(const Board& board, const Look& look, std::string& out)
      : board_(board), look_(look), out_(out) {}

  void operator()(const model::RunCancelRequested& fact) const {
    out_ += fmt::format("run {}: {} ({})\n", model::ToText(fact.run),
                        fact.kill ? "killing" : "cancelling", model::Describe(fact.reason));
  }
  void operator()(const model::RunQueued& fact) const {
    if (fact.reason.code != model::ReasonCode::kNone) {
      out_ += fmt::format("run {}: {}\n", model::ToText(fact.run), model::Describe(fact.reason));
    }
  }
  void operator()(const model::JobDelayed& fact) const {
    Say(fact.job, model::Describe(board_.job(fact.job).reason));
  }
  void operator()(const model::JobQueued& fact) const {
    if (fact.reason.code != model::ReasonCode::kNone) {
      Say(fact.job, model::Describe(fact.reason));
    }
  }
  void operator()(const model::ApprovalRequested& fact) const {
    Say(fact.job, fmt::format("{}: dayfly approve {} '{}'", model::Describe(fact.reason),
                              model::ToText(fact.run), board_.job_name(fact.job)));
  }
  void operator()(const model::ApprovalDecided& fact) const {
    if (fact.approved) {
      Say(fact.job, fmt::format("approved by {}", fact.approval.by));
    }
  }
  void operator()(const model::AttemptUnheard& fact) const {
    Say(fact.key.job, model::Describe(board_.job(fact.key.job).reason));
  }
  void operator()(const model::JobsExpanded& fact) const {
    const model::JobIndex first = fact.expansion.job;
    const std::size_t count = fact.expansion.values.size();
    out_ += fmt::format("{}: {} job{}, one for each value\n",
                        model::SpecOf(board_.plan(), first).name, count, count == 1 ? "" : "s");
  }
  void operator()(const model::AttemptStarted& fact) const {
    const std::string nth =
        fact.key.attempt > 1 ? fmt::format(" (attempt {})", fact.key.attempt) : std::string();
    Say(fact.key.job, fmt::format("started{}", nth));
  }
  void operator()(const model::StepEnded& fact) const {
    if (fact.log.lost_bytes != 0) {
      Say(fact.key.job, fmt::format("step {}: {} bytes of its log are missing: {}",
                                    Title(fact.key, fact.step), fact.log.lost_bytes, kWhyLost));
    }
    if (fact.status == model::Status::kSucceeded) {
      return;
    }
    const std::string why = model::Describe(fact.reason);
    Say(fact.key.job,
        fmt::format("step {} {}{}{}", Title(fact.key, fact.step),
                    Paint(Words(fact.status), fact.status, look_), why.empty() ? "" : ": ", why));
  }
  void operator()(const model::JobBackedOff& fact) const {
    Say(fact.job,
        fmt::format("will be tried again{}: {}", fact.infra ? " (infrastructure failure)" : "",
                    model::Describe(fact.reason)));
  }
  void operator()(const model::JobEnded& fact) const {
    const JobState& job = board_.job(fact.job);
    const std::string why = model::Describe(job.reason);
    const std::string after = job.attempts_begun == 0
                                  ? std::string()
                                  : " in " + base::FormatDuration(ElapsedOf(job, job.ended_at));
    for (const std::string& note : fact.result->remarks.notes) {
      Say(fact.job, Sanitise(note));
    }
    if (const auto& tests = fact.result->remarks.tests) {
      Say(fact.job, "tests: " + TestsInBrief(*tests));
    }
    if (const auto& annotations = fact.result->remarks.annotations) {
      Say(fact.job, "annotations: " + CountsInWords(annotations->counts));
    }
    Say(fact.job, fmt::format("{}{}{}{}", Paint(Words(job.status), job.status, look_), after,
                              why.empty() ? "" : ": ", why));
  }
  template <typename Other>
  void operator()(const Other&) const {}

 private:
  std::string Title(const model::AttemptKey& key, model::StepIndex step) const {
    return StepTitle(model::SpecOf(board_.plan(), key.job), step);
  }
  void Say(model::JobIndex job, std::string_view text) const {
    out_ += fmt::format("{}: {}\n", board_.job_name(job), text);
  }

  const Board& board_;
  const Look& look_;
  std::string& out_;
};

// Lines of what runs beside a job's steps stand between theirs: they are named.
std::string Prefix(const Board& board, const model::AttemptKey& key, model::StepIndex index) {
  const model::JobSpec& spec = model::SpecOf(board.plan(), key.job);
  const model::StepSpec* step = model::StepAt(spec, index);
  const bool is_beside = step != nullptr && step->background;
  return fmt::format("{}{}{} | ", board.job_name(key.job), is_beside ? " " : "",
                     is_beside ? model::StepName(spec, index) : "");
}

}  // namespace

void Plain::Opening(const Board& board, std::string_view verb, std::string& out) const {
  const std::string workers = header_.workers == 0 ? ""
                                                   : fmt::format(", {} worker{}", header_.workers,
                                                                 header_.workers == 1 ? "" : "s");
  out += fmt::format("run {}: {} {} ({} job{}{})\n", header_.run, verb, header_.pipeline,
                     board.job_count(), board.job_count() == 1 ? "" : "s", workers);
}

void Plain::Resumed(const Board& board, base::Instant, std::string& out) {
  Opening(board, "resumed", out);
}

void Plain::Fact(const Board& board, const model::Fact& fact, std::string& out) {
  if (model::RunOf(fact) != board.run()) {
    return;
  }
  if (std::holds_alternative<model::RunAccepted>(fact.body)) {
    Opening(board, "started", out);
    return;
  }
  std::visit(FactLines(board, look_, out), fact.body);
}

void Plain::Output(const Board& board, const model::AttemptKey& key, model::StepIndex step,
                   std::string_view bytes, bool last, std::string& out) {
  const std::string prefix = Prefix(board, key, step);
  OpenLog& log = open_[{key, step}];
  const auto emit = [&](std::string_view line) {
    log.text.Show(line, [&](std::string_view text) {
      out += prefix;
      out += text;
      out += '\n';
    });
  };
  log.lines.Feed(bytes, emit);
  if (last) {
    log.lines.Finish(emit);
    open_.erase({key, step});
  }
}

void Plain::Note(std::string_view text, std::string& out) {
  out += fmt::format("note: {}\n", text);
}

void Plain::Notice(std::string_view text, std::string& out) {
  out += fmt::format("dayfly: {}\n", text);
}

void Plain::End(const Board& board, base::Instant now, std::string& out) {
  out += Summary(board, now, {}, look_);
}

}  // namespace apps::view
