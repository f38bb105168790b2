// SPDX-License-Identifier: Apache-2.0
// Which lines the live tree has room for. Everything when it fits; else a line per stage with
// counts, and under it the jobs that a person would look for: those in trouble, those running, and
// why the next one waits.
#pragma once

#include <string>
#include <vector>

#include "apps/view/frame.h"
#include "apps/view/run_view.h"
#include "apps/view/summary.h"

namespace apps::view {

struct TreeInput {
  const Board& board;
  const RunHeader& header;
  base::Instant now;
  TerminalSize size;
  const Look& look;
  const StepTails& tails;
  const ExplainFunction& explain;  ///< may be empty
  std::string_view notice;
};

/// At most `size.rows - 1` lines.
std::vector<StyledLine> LayOutTree(const TreeInput& input);

/// The lines of stages and jobs that stay when the run is over; without reasons, they follow in the
/// summary.
std::vector<StyledLine> LayOutFinalTree(const TreeInput& input);

}  // namespace apps::view
