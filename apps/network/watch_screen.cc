// SPDX-License-Identifier: Apache-2.0
#include "apps/network/watch_screen.h"

#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include "apps/exit_code.h"
#include "apps/terminal.h"
#include "apps/view/json_lines.h"
#include "apps/view/plain.h"
#include "apps/view/tree.h"

namespace apps::network {
namespace {

namespace base = engine::base;
namespace model = engine::model;

view::TerminalSize SizeOfTerminal() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {.columns = size.ws_col, .rows = size.ws_row};
}

}  // namespace

WatchScreen::WatchScreen(std::string output)
    : output_(std::move(output)), writer_(STDOUT_FILENO, [](const base::Status&) {}) {
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
  std::string out;
  {
    const std::lock_guard lock(mutex_);
    board_->Apply(fact);
    view_->Fact(*board_, fact, out);
    news_ = true;
  }
  changed_.notify_one();
  writer_.Write(std::move(out));
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

int WatchScreen::End() {
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
