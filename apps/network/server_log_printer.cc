// SPDX-License-Identifier: Apache-2.0
#include "apps/network/server_log_printer.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>

#include "apps/log_printer.h"
#include "apps/network/attempt_notes.h"
#include "apps/view/log_json.h"
#include "engine/model/expand.h"

namespace apps::network {

namespace base = engine::base;
namespace client = api::client;
namespace model = engine::model;

namespace {

constexpr auto kLastBytesWait = std::chrono::seconds(10);

}  // namespace

base::Status ServerLogPrinter::Print(const SelectedSteps& selected, const LogsOptions& options) {
  name_jobs_ = selected.jobs.size() > 1;
  RETURN_IF_ERROR(options.follow ? Follow(selected, options) : InOrder(selected, options));
  if (std::fflush(stdout) != 0) {
    return base::FromErrno(errno, "standard output");
  }
  return missing_;
}

// Everything as it comes: of one job, or of all.
base::Status ServerLogPrinter::Follow(const SelectedSteps& selected, const LogsOptions& options) {
  client::LogQuery query;
  query.run = board_.run();
  query.follow = true;
  if (options.tail >= 0) {
    query.tail_lines = static_cast<std::uint64_t>(options.tail);
  }
  if (options.job.empty()) {
    return Read(query, options);
  }
  std::vector<model::JobIndex> jobs = selected.jobs;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const bool was_placeholder =
        model::AwaitsValues(board_.plan(), model::SpecOf(board_.plan(), jobs[i]));
    query.job = jobs[i];
    query.step.reset();
    if (!selected.step.empty()) {
      ASSIGN_OR_RETURN(query.step, FindStep(model::SpecOf(board_.plan(), jobs[i]), selected.step));
    }
    RETURN_IF_ERROR(Read(query, options));
    if (was_placeholder) {
      ASSIGN_OR_RETURN(board_, read_board_());
      ASSIGN_OR_RETURN(const SelectedSteps all, SelectSteps(board_, options));
      jobs = all.jobs;  // The one that was read is still the first.
      name_jobs_ = jobs.size() > 1;
    }
  }
  return base::OkStatus();
}

// Jobs in the order of the plan, then attempts, then steps.
base::Status ServerLogPrinter::InOrder(const SelectedSteps& selected, const LogsOptions& options) {
  for (const model::JobIndex job : selected.jobs) {
    std::optional<model::StepIndex> only;
    if (!selected.step.empty()) {
      ASSIGN_OR_RETURN(only, FindStep(model::SpecOf(board_.plan(), job), selected.step));
    }
    // All steps, whatever is known of them: bytes may have come of one that began unseen.
    const std::uint32_t steps = StepCount(model::SpecOf(board_.plan(), job));
    for (const view::AttemptState& attempt : board_.job(job).attempts) {
      for (std::uint32_t step = 0; step < steps; ++step) {
        if (only && only->value() != step) {
          continue;
        }
        client::LogQuery query;
        query.run = board_.run();
        query.job = job;
        query.attempt = attempt.number;
        query.step = model::StepIndex(step);
        if (options.tail >= 0) {
          query.tail_lines = static_cast<std::uint64_t>(options.tail);
        }
        RETURN_IF_ERROR(Read(query, options));
      }
    }
  }
  return base::OkStatus();
}

base::Status ServerLogPrinter::Read(client::LogQuery query, const LogsOptions& options) {
  const bool json = options.format == "json";
  const bool is_live = query.follow;
  if (!is_live && model::IsFinal(board_.status())) {
    // The last bytes may just be on their way.
    query.follow = true;
    query.quiet_max = kLastBytesWait;
  }
  client::LogHandlers handlers;
  handlers.bytes = [&](const client::LogPiece& piece) {
    if (options.raw) {
      std::fwrite(piece.bytes.data(), 1, piece.bytes.size(), stdout);
    } else {
      Emit(piece, json);
    }
    if (is_live) {
      std::fflush(stdout);
    }
  };
  handlers.missing = [&](const model::AttemptKey& attempt, model::StepIndex step,
                         std::string_view text) {
    Miss({attempt, step}, text);
  };
  const base::Status read = logs_.Read(query, handlers);
  if (read.code() == absl::StatusCode::kDeadlineExceeded && !is_live) {
    missing_ = missing_.ok() ? base::DataLoss(
                                   "not all of it is here yet: its worker still has the "
                                   "rest, and is not heard; --follow waits for it")
                             : missing_;
  } else {
    RETURN_IF_ERROR(read);
  }
  // What is not ended by a line's end is shown, too.
  while (!open_.empty()) {
    const auto& [key, log] = *open_.begin();
    Emit({.attempt = key.first,
          .step = key.second,
          .offset = log.lines.next_byte(),
          .bytes = {},
          .last = true},
         json);
  }
  return base::OkStatus();
}

void ServerLogPrinter::Miss(const Key& key, std::string_view text) {
  if (missing_.ok() && base::AsIndex(key.first.job) < board_.job_count()) {
    missing_ = base::DataLoss(
        "the log of {}, step {}{}: {}", board_.job_name(key.first.job),
        model::StepName(model::SpecOf(board_.plan(), key.first.job), key.second),
        key.first.attempt > 1 ? fmt::format(" (attempt {})", key.first.attempt) : "", text);
  }
}

bool ServerLogPrinter::Knows(model::JobIndex job) {
  if (base::AsIndex(job) >= board_.job_count()) {
    if (auto board = read_board_(); board.ok()) {
      board_ = *std::move(board);
      name_jobs_ = true;
    }
  }
  return base::AsIndex(job) < board_.job_count();
}

void ServerLogPrinter::Emit(const client::LogPiece& piece, bool json) {
  const Key key{piece.attempt, piece.step};
  if (!Knows(key.first.job)) {
    return;
  }
  view::OpenLog& log = open_[key];
  const auto write = [&](std::string_view line) {
    if (json) {
      return WriteJson(key, log.lines, line);
    }
    log.text.Show(line, [&](std::string_view text) { Write(key, text); });
  };
  if (log.lines.next_byte() != piece.offset) {
    // The first bytes of a tail, or those behind a gap.
    log.lines.Finish(write);
    log.lines.StartAt(piece.offset);
  }
  log.lines.Feed(piece.bytes, write);
  if (piece.last) {
    log.lines.Finish(write);
    open_.erase(key);
  }
}

void ServerLogPrinter::Write(const Key& key, std::string_view text) const {
  const std::string line =
      fmt::format("{}{}{} | {}\n", name_jobs_ ? board_.job_name(key.first.job) + " " : "",
                  key.first.attempt > 1 ? fmt::format("#{} ", key.first.attempt) : "",
                  model::StepName(model::SpecOf(board_.plan(), key.first.job), key.second), text);
  std::fwrite(line.data(), 1, line.size(), stdout);
}

// A server keeps no times of lines.
void ServerLogPrinter::WriteJson(const Key& key, const view::LineSplitter& lines,
                                 std::string_view line) const {
  std::string out;
  view::AppendLogLine(
      out, {.at = {},
            .job = board_.job_name(key.first.job),
            .attempt = key.first.attempt,
            .step = model::StepName(model::SpecOf(board_.plan(), key.first.job), key.second),
            .offset = lines.line_begin(),
            .continued = lines.continues(),
            .text = line});
  std::fwrite(out.data(), 1, out.size(), stdout);
}

}  // namespace apps::network
