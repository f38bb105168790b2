// SPDX-License-Identifier: Apache-2.0
// How a run is shown while it goes on. A view is pure: facts, output and time go in, text comes
// out, appended to `out`. The caller feeds durable facts only, applies each to the board first, and
// writes the text. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/view/board.h"

namespace apps::view {

/// What is known from the start, for the first lines.
struct RunHeader {
  std::string run;       ///< the id's text
  std::string pipeline;  ///< its name
  std::string file;
  std::uint32_t workers = 0;  ///< 0: not known
};

/// Why a job waits right now; the core's `Explain`, passed in.
using ExplainFunction = std::function<std::vector<model::Reason>(model::JobIndex)>;

struct TerminalSize {
  int columns = 80;
  int rows = 24;
  friend bool operator==(const TerminalSize&, const TerminalSize&) = default;
};

class RunView {
 public:
  virtual ~RunView() = default;

  /// Once, before anything else, for a run that is continued: the board holds what earlier
  /// processes recorded.
  virtual void Resumed(const Board& board, base::Instant now, std::string& out) = 0;

  /// `fact` is durable and applied to `board`.
  virtual void Fact(const Board& board, const model::Fact& fact, std::string& out) = 0;

  /// More bytes of a step's log, in order, as the step wrote them. With `last`, no more will come.
  virtual void Output(const Board& board, const model::AttemptKey& key, model::StepIndex step,
                      std::string_view bytes, bool last, std::string& out) = 0;

  /// What holds for the whole run and is said once: what the machine refused and what is used
  /// instead.
  virtual void Note(std::string_view text, std::string& out) = 0;
  /// What just happened and the person in front of it should know (a cancel was taken).
  virtual void Notice(std::string_view text, std::string& out) = 0;

  /// Somebody typed a line: its end moved the cursor down.
  virtual void Typed(std::string& /*out*/) {}

  /// A view that moves is drawn again at this instant at the latest; nothing when it never is.
  virtual std::optional<base::Instant> NextDraw(base::Instant now) const = 0;
  virtual void Draw(const Board& board, base::Instant now, TerminalSize size, std::string& out) = 0;

  /// Last words, once the run ended or its process leaves.
  virtual void End(const Board& board, base::Instant now, std::string& out) = 0;

  /// Whether `Output` is wanted: for all steps, or for those that failed (then only the last
  /// lines).
  enum class OutputWanted : std::uint8_t { kNone, kAll, kFailedTail };
  virtual OutputWanted output_wanted() const = 0;
};

/// Steps that `OutputWanted::kFailedTail` means.
inline bool HasFailed(model::Status status) {
  return status == model::Status::kFailed || status == model::Status::kTimedOut;
}

}  // namespace apps::view
