// SPDX-License-Identifier: Apache-2.0
#include "apps/view/tree_layout.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "apps/view/utf8.h"

namespace apps::view {
namespace {

using Style = StyledLine::Style;

constexpr std::size_t kNameColumnsMax = 40;
constexpr std::size_t kTailLinesLive = 3;
constexpr std::size_t kFinalLinesMax = 40;

std::uint32_t Count(const StageGroup& stage, model::Status status) {
  return stage.counts[static_cast<std::size_t>(status)];
}

std::uint32_t Final(const StageGroup& stage) {
  std::uint32_t final = 0;
  for (int i = 0; i < model::kStatusCount; ++i) {
    if (model::IsFinal(static_cast<model::Status>(i))) {
      final += stage.counts[static_cast<std::size_t>(i)];
    }
  }
  return final;
}

// The one word for a stage: trouble shows through, then work, then what is left.
model::Status StatusOf(const StageGroup& stage) {
  for (const model::Status status :
       {model::Status::kFailed, model::Status::kTimedOut, model::Status::kRunning}) {
    if (Count(stage, status) != 0) {
      return status;
    }
  }
  if (Final(stage) < stage.jobs.size()) {
    return Final(stage) != 0 || Count(stage, model::Status::kReady) != 0 ? model::Status::kReady
                                                                         : model::Status::kWaiting;
  }
  for (const model::Status status :
       {model::Status::kCancelled, model::Status::kWarned, model::Status::kSucceeded}) {
    if (Count(stage, status) != 0) {
      return status;
    }
  }
  return model::Status::kSkipped;
}

class Layout {
 public:
  explicit Layout(const TreeInput& input) : in_(input), board_(input.board) {}

  std::vector<StyledLine> Live() {
    const int room = std::max(1, in_.size.rows - 1);
    lines_.push_back(Title());
    const std::size_t fixed = in_.notice.empty() ? 2 : 3;
    const std::size_t body =
        static_cast<std::size_t>(room) > fixed ? static_cast<std::size_t>(room) - fixed : 0;
    if (BodySize() <= body) {
      Everything(body);
    } else {
      Collapsed(body);
    }
    lines_.push_back(StyledLine().Add("  ").Add(CountsText(board_.counts()), Style::kDim));
    if (!in_.notice.empty()) {
      lines_.push_back(StyledLine().Add("  ").Add(in_.notice, Style::kBold));
    }
    if (lines_.size() > static_cast<std::size_t>(room)) {
      lines_.resize(static_cast<std::size_t>(room));
    }
    return std::move(lines_);
  }

  std::vector<StyledLine> Final() {
    if (BodySize() <= kFinalLinesMax) {
      Everything(0);
    } else {
      for (const StageGroup& stage : board_.stages()) {
        if (!stage.jobs.empty() && lines_.size() < kFinalLinesMax) {
          lines_.push_back(StageLine(stage));
        }
      }
    }
    return std::move(lines_);
  }

 private:
  std::size_t BodySize() const {
    std::size_t stages = 0;
    for (const StageGroup& stage : board_.stages()) {
      stages += stage.name.empty() ? 0 : 1;
    }
    return stages + board_.job_count();
  }

  StyledLine Title() const {
    const model::Status status = board_.status();
    const base::Instant end = model::IsFinal(status) ? board_.ended_at() : in_.now;
    StyledLine line;
    line.Add(Mark(status, in_.look.unicode), status).Add(" ");
    line.Add(in_.header.pipeline, Style::kBold).Add("  ").Add(in_.header.run, Style::kDim);
    line.Add("  ").Add(board_.cancelling() ? "cancelling" : Words(status), status);
    line.Add("  ").Add(base::FormatDuration(end - board_.accepted_at()));
    return line;
  }

  StyledLine StageLine(const StageGroup& stage) const {
    const model::Status status = StatusOf(stage);
    StyledLine line;
    line.Add("  ").Add(Mark(status, in_.look.unicode), status).Add(" ");
    line.Add(stage.name.empty() ? "jobs" : stage.name, Style::kBold).Add("  ");
    line.Add(CountsText(stage.counts), Style::kDim);
    return line;
  }

  void Everything(std::size_t body) {
    const std::size_t spare = body > BodySize() ? body - BodySize() : 0;
    std::size_t tail_lines = spare;
    for (const StageGroup& stage : board_.stages()) {
      if (!stage.name.empty()) {
        lines_.push_back(StageLine(stage));
      }
      for (const model::JobIndex job : stage.jobs) {
        lines_.push_back(JobLine(job));
        tail_lines -= Tail(job, tail_lines);
      }
    }
  }

  void Collapsed(std::size_t body) {
    const std::size_t stage_lines = CollapsedStageLines(body);
    std::map<std::uint32_t, std::vector<model::JobIndex>> shown = Interesting(body - stage_lines);
    const auto& stages = board_.stages();
    std::size_t done = 0;
    std::size_t waiting = 0;
    for (std::uint32_t i = 0; i < stages.size(); ++i) {
      if (stages[i].jobs.empty()) {
        continue;
      }
      if (merge_quiet_ && IsQuiet(stages[i])) {
        ++(apps::view::Final(stages[i]) == 0 ? waiting : done);
        continue;
      }
      lines_.push_back(StageLine(stages[i]));
      for (const model::JobIndex job : shown[i]) {
        lines_.push_back(JobLine(job));
      }
    }
    MergedLine(done, "done");
    MergedLine(waiting, "waiting");
  }

  void MergedLine(std::size_t count, std::string_view what) {
    if (count != 0) {
      lines_.push_back(StyledLine().Add("    ").Add(
          fmt::format("{} more stage{} {}", count, count == 1 ? "" : "s", what), Style::kDim));
    }
  }

  static bool IsQuiet(const StageGroup& stage) {
    const model::Status status = StatusOf(stage);
    return status == model::Status::kSucceeded || status == model::Status::kSkipped ||
           status == model::Status::kWaiting;
  }

  // Stages that are over or have not begun share a line each way when there are too many of them.
  std::size_t CollapsedStageLines(std::size_t body) {
    std::size_t all = 0;
    std::size_t busy = 0;
    for (const StageGroup& stage : board_.stages()) {
      all += stage.jobs.empty() ? 0 : 1;
      busy += stage.jobs.empty() || IsQuiet(stage) ? 0 : 1;
    }
    merge_quiet_ = all > body / 2;
    return std::min(body, merge_quiet_ ? busy + 2 : all);
  }

  std::map<std::uint32_t, std::vector<model::JobIndex>> Interesting(std::size_t room) const {
    std::vector<model::JobIndex> jobs;
    const std::size_t trouble_max =
        std::max(room / 2, room - std::min(room, board_.running().size() + 1));
    for (const model::JobIndex job : board_.troubled()) {
      if (jobs.size() < trouble_max && board_.job(job).status != model::Status::kRunning) {
        jobs.push_back(job);
      }
    }
    for (const model::JobIndex job : board_.running()) {
      if (jobs.size() < room) {
        jobs.push_back(job);
      }
    }
    if (const auto waiting = FirstWaiting(); waiting && jobs.size() < room) {
      jobs.push_back(*waiting);
    }
    std::ranges::sort(jobs);
    std::map<std::uint32_t, std::vector<model::JobIndex>> by_stage;
    for (const model::JobIndex job : jobs) {
      by_stage[board_.stage_of(job)].push_back(job);
    }
    return by_stage;
  }

  std::optional<model::JobIndex> FirstWaiting() const {
    for (const StageGroup& stage : board_.stages()) {
      if (Count(stage, model::Status::kWaiting) + Count(stage, model::Status::kReady) == 0) {
        continue;
      }
      for (const model::JobIndex job : stage.jobs) {
        const model::Status status = board_.job(job).status;
        if (status == model::Status::kWaiting || status == model::Status::kReady) {
          return job;
        }
      }
    }
    return std::nullopt;
  }

  int NameColumns() const {
    std::size_t widest = 8;
    if (board_.job_count() <= 200) {
      for (std::uint32_t i = 0; i < board_.job_count(); ++i) {
        widest = std::max(
            widest, static_cast<std::size_t>(DisplayWidth(board_.job_name(model::JobIndex(i)))));
      }
    } else {
      widest = 24;
    }
    const auto third = static_cast<std::size_t>(std::max(8, in_.size.columns / 3));
    return static_cast<int>(std::min({widest, kNameColumnsMax, third}));
  }

  StyledLine JobLine(model::JobIndex job) {
    if (name_columns_ == 0) {
      name_columns_ = NameColumns();
    }
    const JobState& state = board_.job(job);
    std::string name = CutToWidth(board_.job_name(job), name_columns_);
    const std::string more = More(job, state);
    StyledLine line;
    line.Add("    ").Add(Mark(state.status, in_.look.unicode), state.status).Add(" ");
    if (state.attempts_begun == 0 && more.empty()) {
      return line.Add(name);
    }
    name.append(static_cast<std::size_t>(std::max(0, name_columns_ - DisplayWidth(name))), ' ');
    const std::string elapsed =
        state.attempts_begun == 0 ? "" : base::FormatDuration(ElapsedOf(state, in_.now));
    line.Add(name).Add(fmt::format(" {:>7}", elapsed));
    if (state.attempts_begun > 1) {
      line.Add(fmt::format("  attempt {}", state.attempts.back().number), Style::kDim);
    }
    if (!more.empty()) {
      line.Add("  ").Add(more, Style::kDim);
    }
    return line;
  }

  std::string More(model::JobIndex job, const JobState& state) const {
    if (state.status == model::Status::kRunning) {
      return CurrentStep(job, state);
    }
    if (model::IsFinal(state.status)) {
      return model::Describe(state.reason);
    }
    model::Reason reason = state.reason;
    if (in_.explain) {
      if (const std::vector<model::Reason> reasons = in_.explain(job); !reasons.empty()) {
        reason = reasons.front();
      }
    }
    if (reason.code == model::ReasonCode::kWaitsForBackoff && reason.until > in_.now) {
      return fmt::format("tried again in {}: {}", base::FormatDuration(reason.until - in_.now),
                         reason.subject);
    }
    return model::Describe(reason);
  }

  std::string CurrentStep(model::JobIndex job, const JobState& state) const {
    if (state.attempts.empty()) {
      return {};
    }
    const model::JobSpec& spec = model::SpecOf(board_.plan(), job);
    const model::RareJobSettings& rare = model::RareOf(spec);
    const std::size_t services = rare.services.size();
    const std::size_t total = spec.steps.size() + rare.finally_steps.size() - services;
    const std::vector<StepState>& steps = state.attempts.back().steps;
    for (std::size_t i = steps.size(); i-- > 0;) {
      if (steps[i].status == model::Status::kRunning) {
        const std::string title = StepTitle(spec, model::StepIndex(static_cast<std::uint32_t>(i)));
        return i < services ? fmt::format("service {}", title)
               : total == 1 ? title
                            : fmt::format("{}/{} {}", i + 1 - services, total, title);
      }
    }
    return {};
  }

  std::size_t Tail(model::JobIndex job, std::size_t room) {
    const JobState& state = board_.job(job);
    if (room == 0 || in_.tails.empty() || state.attempts.empty() ||
        !board_.troubled().contains(job)) {
      return 0;
    }
    std::size_t used = 0;
    for (const model::StepIndex step : TroubledSteps(state.attempts.back())) {
      const auto tail = in_.tails.find(
          {{.run = board_.run(), .job = job, .attempt = state.attempts.back().number}, step});
      if (tail == in_.tails.end()) {
        continue;
      }
      const std::size_t count = std::min({tail->second.size(), kTailLinesLive, room - used});
      for (std::size_t i = tail->second.size() - count; i < tail->second.size(); ++i) {
        lines_.push_back(StyledLine().Add("        | ", Style::kDim).Add(tail->second[i]));
      }
      used += count;
    }
    return used;
  }

  const TreeInput& in_;
  const Board& board_;
  std::vector<StyledLine> lines_;
  bool merge_quiet_ = false;
  int name_columns_ = 0;
};

}  // namespace

std::vector<StyledLine> LayOutTree(const TreeInput& input) {
  return Layout(input).Live();
}

std::vector<StyledLine> LayOutFinalTree(const TreeInput& input) {
  return Layout(input).Final();
}

}  // namespace apps::view
