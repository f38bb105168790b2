// SPDX-License-Identifier: Apache-2.0
#include "apps/run_screen.h"

#include <csignal>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>
#include <variant>

namespace apps {
namespace {

namespace base = engine::base;
namespace model = engine::model;

constexpr auto kFollowEvery = std::chrono::milliseconds(100);
constexpr std::uint64_t kTailBytes = 16 << 10;
constexpr std::size_t kWriteBytes = 256 << 10;

view::TerminalSize SizeOfTerminal() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {.columns = size.ws_col, .rows = size.ws_row};
}

}  // namespace

RunScreen::RunScreen(
    boost::asio::io_context& io, ScreenParts parts,
    const std::function<std::unique_ptr<view::RunView>(view::ExplainFunction)>& make_view)
    : parts_(std::move(parts)),
      follower_(*parts_.logs,
                [this](const Key& key, std::string_view bytes, bool last) {
                  view_->Output(*parts_.board, key.first, key.second, bytes, last, *log_out_);
                  if (log_out_->size() >= kWriteBytes) {
                    parts_.writer->Write(std::exchange(*log_out_, {}));
                  }
                }),
      draw_timer_(io),
      follow_timer_(io),
      resized_(io) {
  view_ = make_view([this](model::JobIndex job) {
    const auto explained = core_ == nullptr
                               ? std::nullopt
                               : core_->Explain(parts_.board->run(), job, parts_.clock->Now());
    return explained ? explained->reasons : std::vector<model::Reason>();
  });
  if (view_->NextDraw({})) {
    WatchSize();
  }
}

void RunScreen::WatchSize() {
  boost::system::error_code ignored;
  resized_.add(SIGWINCH, ignored);
  resized_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error && !ended_) {
      Draw();
      WatchSize();
    }
  });
}

void RunScreen::Resumed() {
  std::string out;
  view_->Resumed(*parts_.board, parts_.clock->Now(), out);
  parts_.writer->Write(std::move(out));
  ArmDraw();
}

void RunScreen::OnDurable(std::uint64_t, std::span<const model::Fact> facts) {
  std::string out;
  bool run_ended = false;
  for (const model::Fact& fact : facts) {
    parts_.board->Apply(fact);
    Show(fact, out);
    run_ended = run_ended || std::holds_alternative<model::RunEnded>(fact.body);
  }
  parts_.writer->Write(std::move(out));
  ArmDraw();
  if (run_ended && parts_.on_run_ended) {
    parts_.on_run_ended();
  }
}

void RunScreen::Show(const model::Fact& fact, std::string& out) {
  if (const auto* started = std::get_if<model::StepStarted>(&fact.body)) {
    FollowStep(*started);
  } else if (const auto* ended = std::get_if<model::StepEnded>(&fact.body)) {
    FinishStep({ended->key, ended->step}, ended->status, ended->log, out);
  } else if (const auto* attempt = std::get_if<model::AttemptEnded>(&fact.body)) {
    FinishCutSteps(attempt->key, out);
  }
  view_->Fact(*parts_.board, fact, out);
}

void RunScreen::FollowStep(const model::StepStarted& fact) {
  if (view_->output_wanted() != view::RunView::OutputWanted::kAll) {
    return;
  }
  const view::AttemptState* attempt = parts_.board->attempt(fact.key);
  running_[{fact.key, fact.step}] = attempt == nullptr ? 0 : attempt->slot;
  ArmFollow();
}

std::uint32_t RunScreen::SegmentsOf(const Key& key, std::uint32_t slot) {
  return follower_.SegmentsOf(key, slot, model::SpecOf(parts_.board->plan(), key.first.job));
}

// Steps that ended with their attempt, as their keeper died: what they wrote until then.
void RunScreen::FinishCutSteps(const model::AttemptKey& key, std::string& out) {
  const view::AttemptState* attempt = parts_.board->attempt(key);
  for (std::uint32_t i = 0; attempt != nullptr && i < attempt->steps.size(); ++i) {
    const Key step{key, model::StepIndex(i)};
    // What an earlier process of this run followed, it has shown.
    if (attempt->steps[i].ended_with_attempt && running_.contains(step)) {
      FinishStep(step, attempt->status, follower_.CutLog(step, SegmentsOf(step, attempt->slot)),
                 out);
    }
  }
}

void RunScreen::FinishStep(const Key& key, model::Status status, const model::StepLog& log,
                           std::string& out) {
  running_.erase(key);
  base::Status read;
  log_out_ = &out;
  switch (view_->output_wanted()) {
    case view::RunView::OutputWanted::kAll:
      read = follower_.Ended(key, log);
      break;
    case view::RunView::OutputWanted::kFailedTail:
      if (view::HasFailed(status)) {
        read = follower_.EndedTail(key, log, kTailBytes);
      }
      break;
    case view::RunView::OutputWanted::kNone:
      break;
  }
  log_out_ = nullptr;
  if (!read.ok()) {
    view_->Notice(base::Message(read), out);
  }
}

void RunScreen::ArmFollow() {
  if (follow_armed_ || running_.empty() || ended_) {
    return;
  }
  follow_armed_ = true;
  follow_timer_.expires_after(kFollowEvery);
  follow_timer_.async_wait([this](const boost::system::error_code& error) {
    follow_armed_ = false;
    if (error || ended_) {
      return;
    }
    std::string out;
    log_out_ = &out;
    for (const auto& [key, slot] : running_) {
      follower_.Running(key, SegmentsOf(key, slot));
    }
    log_out_ = nullptr;
    parts_.writer->Write(std::move(out));
    ArmFollow();
  });
}

void RunScreen::Notice(std::string_view text) {
  std::string out;
  view_->Notice(text, out);
  parts_.writer->Write(std::move(out));
  ArmDraw();
}

void RunScreen::Typed() {
  std::string out;
  view_->Typed(out);
  parts_.writer->Write(std::move(out));
}

void RunScreen::Note(std::string_view text) {
  std::string out;
  view_->Note(text, out);
  parts_.writer->Write(std::move(out));
  ArmDraw();
}

void RunScreen::ArmDraw() {
  const base::Instant now = parts_.clock->Now();
  const std::optional<base::Instant> next = view_->NextDraw(now);
  if (ended_ || !next || (draw_at_ && *draw_at_ <= *next)) {
    return;
  }
  draw_at_ = next;
  draw_timer_.expires_after(std::max(base::Duration(0), *next - now));
  draw_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !ended_) {
      draw_at_.reset();
      Draw();
    }
  });
}

void RunScreen::Draw() {
  parts_.read_core([this](const engine::core::EngineCore& core, base::Instant now) {
    if (ended_) {
      return;
    }
    std::string out;
    core_ = &core;
    view_->Draw(*parts_.board, now, SizeOfTerminal(), out);
    core_ = nullptr;
    parts_.writer->Write(std::move(out));
    ArmDraw();
  });
}

void RunScreen::End() {
  if (std::exchange(ended_, true)) {
    return;
  }
  draw_timer_.cancel();
  follow_timer_.cancel();
  boost::system::error_code ignored;
  resized_.cancel(ignored);
  std::string out;
  // A run that was refused has nothing to sum up.
  if (parts_.board->context() != nullptr) {
    view_->End(*parts_.board, parts_.clock->Now(), out);
  }
  parts_.writer->Write(std::move(out));
}

}  // namespace apps
