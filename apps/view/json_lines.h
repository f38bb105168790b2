// SPDX-License-Identifier: Apache-2.0
// `dayfly run --output json`: an object per line, a stable interface (docs/cli.md). Every line has
// the nine keys `at run job attempt step event status exit_code reason`, in this order, null where
// they say nothing; a reason adds `message`, the same for people, and `run_ended` adds `counts`.
#pragma once

#include <string>

#include "apps/view/run_view.h"

namespace apps::view {

class JsonLines final : public RunView {
 public:
  void Resumed(const Board& board, base::Instant now, std::string& out) override;
  void Fact(const Board& board, const model::Fact& fact, std::string& out) override;
  void Output(const Board&, const model::AttemptKey&, model::StepIndex, std::string_view, bool,
              std::string&) override {}
  void Note(std::string_view, std::string&) override {}
  void Notice(std::string_view, std::string&) override {}
  std::optional<base::Instant> NextDraw(base::Instant) const override { return std::nullopt; }
  void Draw(const Board&, base::Instant, TerminalSize, std::string&) override {}
  void End(const Board&, base::Instant, std::string&) override {}
  OutputWanted output_wanted() const override { return OutputWanted::kNone; }
};

/// `{"succeeded":3,"failed":0,…}`: the final statuses, always all of them.
std::string CountsJson(const std::array<std::uint32_t, model::kStatusCount>& counts);

/// The exit code that `reason` tells, and 0 for a success; nothing when no command's end decided.
std::optional<std::int64_t> ExitCodeOf(model::Status status, const model::Reason& reason);

}  // namespace apps::view
