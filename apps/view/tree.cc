// SPDX-License-Identifier: Apache-2.0
#include "apps/view/tree.h"

#include <fmt/format.h>

#include "apps/view/tree_layout.h"
#include "apps/view/utf8.h"

namespace apps::view {
namespace {

constexpr base::Duration kShortestPause = std::chrono::milliseconds(66);
constexpr base::Duration kTick = std::chrono::seconds(1);
constexpr int kTailColumnsMax = 500;

}  // namespace

void Tree::Resumed(const Board&, base::Instant, std::string&) {
  changed_ = true;
}

void Tree::Fact(const Board& board, const model::Fact& fact, std::string&) {
  changed_ = changed_ || model::RunOf(fact) == board.run();
}

void Tree::Output(const Board&, const model::AttemptKey& key, model::StepIndex step,
                  std::string_view bytes, bool last, std::string&) {
  std::vector<std::string>& tail = tails_[{key, step}];
  OpenLog& log = open_[{key, step}];
  const auto keep = [&](std::string_view line) {
    log.text.Show(line, [&](std::string_view text) {
      tail.push_back(CutToWidth(text, kTailColumnsMax));
      if (tail.size() > kTailLines) {
        tail.erase(tail.begin());
      }
    });
  };
  log.lines.Feed(bytes, keep);
  if (last) {
    log.lines.Finish(keep);
    open_.erase({key, step});
  }
  changed_ = true;
}

void Tree::Note(std::string_view text, std::string&) {
  notes_.push_back(Sanitise(text));
  changed_ = true;
}

void Tree::Notice(std::string_view text, std::string&) {
  notice_ = text;
  changed_ = true;
}

// Back to where the frame ended, and what was typed there goes.
void Tree::Typed(std::string& out) {
  if (drawn_at_) {
    out += "\x1b[A\r\x1b[J";
  }
}

std::optional<base::Instant> Tree::NextDraw(base::Instant now) const {
  if (!drawn_at_) {
    return now;
  }
  return *drawn_at_ + (changed_ ? kShortestPause : kTick);
}

void Tree::Draw(const Board& board, base::Instant now, TerminalSize size, std::string& out) {
  size_ = size;
  if (!notes_.empty()) {
    out += frame_.Clear(size);
    for (const std::string& note : notes_) {
      out += Dim(fmt::format("note: {}", note), look_) + "\n";
    }
    notes_.clear();
  }
  const TreeInput input{.board = board,
                        .header = header_,
                        .now = now,
                        .size = size,
                        .look = look_,
                        .tails = tails_,
                        .explain = explain_,
                        .notice = notice_};
  out += frame_.Show(LayOutTree(input), size, look_);
  drawn_at_ = now;
  changed_ = false;
}

void Tree::End(const Board& board, base::Instant now, std::string& out) {
  out += frame_.Clear(size_);
  const TreeInput input{.board = board,
                        .header = header_,
                        .now = now,
                        .size = size_,
                        .look = look_,
                        .tails = {},
                        .explain = {},
                        .notice = {}};
  for (const StyledLine& line : LayOutFinalTree(input)) {
    out += line.Render(std::max(20, size_.columns - 1), look_) + "\n";
  }
  out += Summary(board, now, tails_, look_);
}

}  // namespace apps::view
