// SPDX-License-Identifier: Apache-2.0
// `--output plain`: lines for pipes, files and CI logs. `job | text` is what a step wrote, `job
// name | text` what a service or a step in the background did, `job: text` what became of the job.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "apps/view/log_text.h"
#include "apps/view/run_view.h"
#include "apps/view/summary.h"

namespace apps::view {

class Plain final : public RunView {
 public:
  Plain(RunHeader header, Look look) : header_(std::move(header)), look_(look) {}

  void Resumed(const Board& board, base::Instant now, std::string& out) override;
  void Fact(const Board& board, const model::Fact& fact, std::string& out) override;
  void Output(const Board& board, const model::AttemptKey& key, model::StepIndex step,
              std::string_view bytes, bool last, std::string& out) override;
  void Note(std::string_view text, std::string& out) override;
  void Notice(std::string_view text, std::string& out) override;
  std::optional<base::Instant> NextDraw(base::Instant) const override { return std::nullopt; }
  void Draw(const Board&, base::Instant, TerminalSize, std::string&) override {}
  void End(const Board& board, base::Instant now, std::string& out) override;
  OutputWanted output_wanted() const override { return OutputWanted::kAll; }

 private:
  void Opening(const Board& board, std::string_view verb, std::string& out) const;

  RunHeader header_;
  Look look_;
  std::map<std::pair<model::AttemptKey, model::StepIndex>, OpenLog> open_;
};

}  // namespace apps::view
