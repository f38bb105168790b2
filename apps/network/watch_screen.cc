// SPDX-License-Identifier: Apache-2.0
#include "apps/network/watch_screen.h"

#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>
#include <variant>

#include "apps/exit_code.h"
#include "apps/terminal.h"
#include "apps/view/json_lines.h"
#include "apps/view/plain.h"
#include "apps/view/tree.h"

namespace apps::network {
namespace {

namespace base = engine::base;
namespace model = engine::model;

constexpr std::size_t kEarlyBytesMax = 1 << 20;

view::TerminalSize SizeOfTerminal() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {.columns = size.ws_col, .rows = size.ws_row};
}

}  // namespace

WatchScreen::WatchScreen(std::string output, api::client::Target target)
    : output_(std::move(output)),
      target_(std::move(target)),
      writer_(STDOUT_FILENO, [](const base::Status&) {}) {
  if (output_.empty()) {
    output_ = IsLiveTerminal(STDOUT_FILENO) ? "tree" : "plain";
  }
}

WatchScreen::~WatchScreen() = default;

void WatchScreen::Begin(const api::wire::OutlinedRun& run) {
  {
    const std::lock_guard lock(mutex_);
    board_.emplace(run.run, run.plan);
    MakeView(run);
  }
  if (view_->output_wanted() != view::RunView::OutputWanted::kNone) {
    logs_ = std::make_unique<LogWatch>(
        target_, run.run, [this](const model::LogKey& log, std::string_view bytes, bool last) {
          Output(log, bytes, last);
        });
  }
  if (view_->output_wanted() == view::RunView::OutputWanted::kAll) {
    logs_->FollowAll();
  }
  if (output_ == "tree") {
    drawer_ = std::jthread([this](const std::stop_token& stop) { DrawLoop(stop); });
  }
}

void WatchScreen::MakeView(const api::wire::OutlinedRun& run) {
  view::RunHeader header;
  header.run = model::ToText(run.run);
  header.pipeline = run.plan->name;
  header.file = run.context->pipeline_file;
  const view::Look look = LookOf(STDOUT_FILENO);
  if (output_ == "json") {
    view_ = std::make_unique<view::JsonLines>();
  } else if (output_ == "plain") {
    view_ = std::make_unique<view::Plain>(std::move(header), look);
  } else {
    // Why a job waits is told as far as it is recorded.
    view_ = std::make_unique<view::Tree>(std::move(header), look, [this](model::JobIndex job) {
      const model::Reason& reason = board_->job(job).reason;
      return reason.code == model::ReasonCode::kNone ? std::vector<model::Reason>()
                                                     : std::vector<model::Reason>{reason};
    });
  }
}

void WatchScreen::Show(const model::Fact& fact) {
  {
    const std::lock_guard lock(mutex_);
    std::string out;
    board_->Apply(fact);
    view_->Fact(*board_, fact, out);
    if (std::holds_alternative<model::JobsExpanded>(fact.body)) {
      ShowEarly(out);
    }
    news_ = true;
    writer_.Write(std::move(out));
  }
  changed_.notify_one();
  BringLogs(fact);
}

void WatchScreen::BringLogs(const model::Fact& fact) {
  const auto* ended = std::get_if<model::StepEnded>(&fact.body);
  if (ended != nullptr && view_->output_wanted() == view::RunView::OutputWanted::kFailedTail &&
      view::HasFailed(ended->status) && !ended->log.ranges.empty()) {
    logs_->ShowTail({.attempt = ended->key, .step = ended->step});
  }
}

void WatchScreen::Output(const model::LogKey& log, std::string_view bytes, bool last) {
  {
    const std::lock_guard lock(mutex_);
    if (base::AsIndex(log.attempt.job) >= board_->job_count()) {
      // Facts come on another stream, and soon. A server that says more than that is in error.
      if (early_bytes_ + bytes.size() <= kEarlyBytesMax) {
        early_bytes_ += bytes.size();
        early_.push_back({.log = log, .bytes = std::string(bytes), .last = last});
      }
      return;
    }
    std::string out;
    view_->Output(*board_, log.attempt, log.step, bytes, last, out);
    news_ = true;
    writer_.Write(std::move(out));
  }
  changed_.notify_one();
}

void WatchScreen::ShowEarly(std::string& out) {
  std::vector<Early> still;
  early_bytes_ = 0;
  for (Early& early : early_) {
    if (base::AsIndex(early.log.attempt.job) < board_->job_count()) {
      view_->Output(*board_, early.log.attempt, early.log.step, early.bytes, early.last, out);
      continue;
    }
    early_bytes_ += early.bytes.size();
    still.push_back(std::move(early));
  }
  early_ = std::move(still);
}

void WatchScreen::DrawLoop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const base::Instant now = WallClock();
    const std::optional<base::Instant> next = view_->NextDraw(now);
    if (next && *next <= now) {
      std::string out;
      view_->Draw(*board_, now, SizeOfTerminal(), out);
      writer_.Write(std::move(out));
      continue;
    }
    const base::Duration wait = next ? *next - now : base::Duration(std::chrono::hours(1));
    changed_.wait_for(lock, stop, wait, [this] { return std::exchange(news_, false); });
  }
}

int WatchScreen::End(bool is_over) {
  if (logs_ != nullptr && is_over) {
    logs_->Finish();
  }
  logs_.reset();
  if (drawer_.joinable()) {
    drawer_.request_stop();
    drawer_.join();
  }
  if (!board_) {
    return kExitEngine;
  }
  std::string out;
  view_->End(*board_, WallClock(), out);
  writer_.Write(std::move(out));
  writer_.Drain();
  return ExitCodeOf(board_->status());
}

}  // namespace apps::network
