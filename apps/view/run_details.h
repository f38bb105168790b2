// SPDX-License-Identifier: Apache-2.0
// `dayfly show`: all that a board knows of a run, for people and as one JSON object. Pure.
#pragma once

#include <string>

#include "apps/view/board.h"
#include "apps/view/summary.h"

namespace apps::view {

/// `alive`: a process of the run is at work, so what is not over goes on.
std::string RunDetailsText(const Board& board, base::Instant now, bool alive, const Look& look);

/// One line; the form stands in docs/cli.md.
std::string RunDetailsJson(const Board& board, base::Instant now, bool alive);

}  // namespace apps::view
