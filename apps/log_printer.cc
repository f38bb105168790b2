// SPDX-License-Identifier: Apache-2.0
#include "apps/log_printer.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <utility>

#include "apps/view/log_json.h"
#include "apps/view/summary.h"

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;

constexpr std::size_t kWriteBytes = 256 << 10;
constexpr std::uint64_t kBackwardBytes = 64 << 10;

// Offset of the line that begins the last `lines` lines; a newline at the very end ends the last
// one.
std::uint64_t TailOffset(store::logs::SegmentReader& reader, const model::StepLog& log,
                         std::int64_t lines) {
  const std::uint64_t length = store::logs::LogLength(log);
  std::uint64_t end = length;
  while (end > 0) {
    const std::uint64_t begin = end > kBackwardBytes ? end - kBackwardBytes : 0;
    const auto bytes = reader.Read(log, begin, end - begin);
    if (!bytes.ok()) {
      return end;
    }
    for (std::size_t i = bytes->size(); i-- > 0;) {
      if ((*bytes)[i] == '\n' && begin + i + 1 != length && --lines == 0) {
        return begin + i + 1;
      }
    }
    end = begin;
  }
  return 0;
}

// The instant at which the byte at `offset` came; empty when it is not known.
std::string InstantAt(const std::vector<model::ReadTime>& times, std::uint64_t offset) {
  const auto after = std::ranges::upper_bound(times, offset, {}, &model::ReadTime::offset);
  return after == times.begin() ? "" : base::FormatInstant(std::prev(after)->at);
}

}  // namespace

base::StatusOr<model::StepIndex> FindStep(const model::JobSpec& spec, const std::string& name) {
  std::string known;
  for (std::uint32_t i = 0; model::StepAt(spec, model::StepIndex(i)) != nullptr; ++i) {
    const std::string step = model::StepName(spec, model::StepIndex(i));
    if (step == name) {
      return model::StepIndex(i);
    }
    known += (known.empty() ? "" : ", ") + step;
  }
  std::uint32_t position = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), position);
  const auto services = static_cast<std::uint32_t>(model::RareOf(spec).services.size());
  if (error == std::errc() && end == name.data() + name.size() && position > 0 &&
      model::StepAt(spec, model::StepIndex(services + position - 1)) != nullptr) {
    return model::StepIndex(services + position - 1);
  }
  return base::NotFound("job {} has no step '{}'; its steps: {}", spec.name, name, known);
}

LogPrinter::LogPrinter(std::string logs_folder, LogPrinterOptions options)
    : reader_(std::move(logs_folder)),
      options_(options),
      follower_(reader_, [this](const Key& key, std::string_view bytes, bool last) {
        Emit(key, bytes, last);
      }) {}

base::Status LogPrinter::Print(const view::Board& board, const LogSelection& selection) {
  board_ = &board;
  bool go_on = true;
  for (const model::JobIndex job : selection.jobs) {
    std::optional<model::StepIndex> only;
    if (!selection.step.empty()) {
      ASSIGN_OR_RETURN(only, FindStep(model::SpecOf(board.plan(), job), selection.step));
    }
    for (const view::AttemptState& attempt : board.job(job).attempts) {
      for (std::uint32_t i = 0; i < attempt.steps.size() && go_on; ++i) {
        if (!only || only->value() == i) {
          const model::AttemptKey key{.run = board.run(), .job = job, .attempt = attempt.number};
          go_on = PrintStep(board, {key, model::StepIndex(i)}, attempt) || !options_.in_order;
        }
      }
    }
    go_on = go_on && (!options_.in_order || model::IsFinal(board.job(job).status));
  }
  if (!out_.empty()) {
    std::fwrite(out_.data(), 1, out_.size(), stdout);
    out_.clear();
  }
  return std::fflush(stdout) == 0 ? base::OkStatus() : base::FromErrno(errno, "standard output");
}

// True when the step's log is complete.
bool LogPrinter::PrintStep(const view::Board& board, const Key& key,
                           const view::AttemptState& attempt) {
  if (done_[key]) {
    return true;
  }
  const view::StepState& step = attempt.steps[base::AsIndex(key.second)];
  const model::JobSpec& spec = model::SpecOf(board.plan(), key.first.job);
  if (step.status == model::Status::kRunning) {
    const std::uint32_t segments = follower_.SegmentsOf(key, attempt.slot, spec);
    if (const auto live = reader_.ReadLive(segments); live.ok()) {
      times_[key] = reader_.Times(live->log);
    }
    follower_.Running(key, segments);
    return false;
  }
  if (!model::IsFinal(step.status)) {
    return false;
  }
  done_[key] = true;
  const model::StepLog log =
      step.ended_with_attempt ? follower_.CutLog(key, follower_.SegmentsOf(key, attempt.slot, spec))
                              : step.log;
  times_[key] = options_.raw ? std::vector<model::ReadTime>() : reader_.Times(log);
  const std::uint64_t length = store::logs::LogLength(log);
  base::Status read;
  if (options_.tail >= 0 && !open_.contains(key)) {
    const std::uint64_t from =
        options_.tail == 0 ? length : TailOffset(reader_, log, options_.tail);
    open_[key].lines.StartAt(from);
    read = follower_.EndedTail(key, log, length - from);
  } else {
    read = follower_.Ended(key, log);
  }
  if (read.ok() && step.log.lost_bytes != 0) {
    read = base::DataLoss("{} bytes of the log of {}, step {}, are missing: {}",
                          step.log.lost_bytes, board.job_name(key.first.job),
                          model::StepName(spec, key.second), view::kWhyLost);
  }
  if (!read.ok()) {
    missing_ = read;
  }
  if (step.ended_with_attempt && !options_.raw) {
    WriteLine(key, fmt::format("[dayfly: the log is cut here: {}]", view::kWhyCut));
  }
  times_.erase(key);
  return true;
}

void LogPrinter::Emit(const Key& key, std::string_view bytes, bool last) {
  view::LineSplitter& lines = open_[key].lines;
  if (options_.raw) {
    out_ += bytes;
  } else {
    const auto write = [&](std::string_view line) { WriteLine(key, line); };
    lines.Feed(bytes, write);
    if (last) {
      lines.Finish(write);
    }
  }
  if (out_.size() >= kWriteBytes) {
    std::fwrite(out_.data(), 1, out_.size(), stdout);
    out_.clear();
  }
}

void LogPrinter::WriteLine(const Key& key, std::string_view line) {
  if (options_.json) {
    return WriteJson(key, line);
  }
  open_[key].text.Show(line, [&](std::string_view text) { WriteText(key, text); });
}

void LogPrinter::WriteJson(const Key& key, std::string_view line) {
  const std::uint64_t offset = open_[key].lines.line_begin();
  view::AppendLogLine(
      out_, {.at = InstantAt(times_[key], offset),
             .job = board_->job_name(key.first.job),
             .attempt = key.first.attempt,
             .step = model::StepName(model::SpecOf(board_->plan(), key.first.job), key.second),
             .offset = offset,
             .continued = open_[key].lines.continues(),
             .text = line});
}

void LogPrinter::WriteText(const Key& key, std::string_view text) {
  const model::JobSpec& spec = model::SpecOf(board_->plan(), key.first.job);
  const std::string at = InstantAt(times_[key], open_[key].lines.line_begin());
  out_ += at.empty() ? std::string(12, ' ') : at.substr(11, 12);
  if (options_.name_jobs) {
    out_ += ' ';
    out_ += board_->job_name(key.first.job);
  }
  if (key.first.attempt > 1) {
    out_ += fmt::format(" #{}", key.first.attempt);
  }
  out_ += ' ';
  out_ += model::StepName(spec, key.second);
  out_ += " | ";
  out_ += text;
  out_ += '\n';
}

}  // namespace apps
