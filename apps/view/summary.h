// SPDX-License-Identifier: Apache-2.0
// Text that several views and commands share: marks, counts, one job's end in words, and the block
// that ends a run.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/view/board.h"

namespace apps::view {

/// How text may look: colours only where the person wants them, marks in ASCII where the locale has
/// nothing else.
struct Look {
  bool color = false;
  bool unicode = true;
};

/// One column wide: `✓ ✗ ! ● ◌ – ■ ⧖`, or a letter.
std::string_view Mark(model::Status status, bool unicode);
/// `text` in the colour of `status`, unchanged without colours.
std::string Paint(std::string_view text, model::Status status, const Look& look);
std::string Dim(std::string_view text, const Look& look);
std::string Bold(std::string_view text, const Look& look);

/// `3 succeeded, 1 failed, 2 skipped`: those that are not 0.
std::string CountsText(const std::array<std::uint32_t, model::kStatusCount>& counts);

/// `timed out` where people read it.
std::string_view Words(model::Status status);

/// `text` as one word of a shell command line.
std::string ShellQuote(std::string_view text);

/// What a person calls the step: its `name`, else its `id`, else the first line of its command,
/// else its position.
std::string StepTitle(const model::JobSpec& spec, model::StepIndex step);

/// Why bytes that a step printed are not in its log: the only way to lose them while it runs.
inline constexpr std::string_view kWhyCut = "what ran it was lost before it told the end";
inline constexpr std::string_view kWhyLost = "they could not be written (disk full?)";

/// How long the job has been running or ran: its newest attempt that began; 0 when none did.
base::Duration ElapsedOf(const JobState& job, base::Instant now);

/// The last lines of a failed step's log, already safe for a terminal.
using StepTails =
    std::map<std::pair<model::AttemptKey, model::StepIndex>, std::vector<std::string>>;

/// The block that ends a run: status, counts, and each job in trouble with the step, why, the last
/// lines of its log as far as `tails` has them, and the command that shows more. At most 20 jobs,
/// then how many are left out.
std::string Summary(const Board& board, base::Instant now, const StepTails& tails,
                    const Look& look);

}  // namespace apps::view
