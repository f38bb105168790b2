// SPDX-License-Identifier: Apache-2.0
// `--output tree`: the live display on a terminal. Draws at most 15 times a second, and only when
// something changed or a shown time has to move on.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/view/frame.h"
#include "apps/view/log_text.h"
#include "apps/view/run_view.h"
#include "apps/view/summary.h"

namespace apps::view {

class Tree final : public RunView {
 public:
  static constexpr std::size_t kTailLines = 20;

  Tree(RunHeader header, Look look, ExplainFunction explain)
      : header_(std::move(header)), look_(look), explain_(std::move(explain)) {}

  void Resumed(const Board& board, base::Instant now, std::string& out) override;
  void Fact(const Board& board, const model::Fact& fact, std::string& out) override;
  /// Keeps the last lines.
  void Output(const Board& board, const model::AttemptKey& key, model::StepIndex step,
              std::string_view bytes, bool last, std::string& out) override;
  /// Stays above the tree.
  void Note(std::string_view text, std::string& out) override;
  void Notice(std::string_view text, std::string& out) override;
  void Typed(std::string& out) override;
  std::optional<base::Instant> NextDraw(base::Instant now) const override;
  void Draw(const Board& board, base::Instant now, TerminalSize size, std::string& out) override;
  void End(const Board& board, base::Instant now, std::string& out) override;
  OutputWanted output_wanted() const override { return OutputWanted::kFailedTail; }

 private:
  RunHeader header_;
  Look look_;
  ExplainFunction explain_;
  Frame frame_;
  TerminalSize size_;
  StepTails tails_;
  std::map<std::pair<model::AttemptKey, model::StepIndex>, OpenLog> open_;
  std::string notice_;
  std::vector<std::string> notes_;  ///< not written yet
  std::optional<base::Instant> drawn_at_;
  bool changed_ = true;
};

}  // namespace apps::view
