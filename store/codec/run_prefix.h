// SPDX-License-Identifier: Apache-2.0
// Runs by the first letters of their id, the same in every store. A run's text id sorts as its
// number does, so that a prefix is a range of numbers. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/ids.h"
#include "engine/ports/run_queries.h"

namespace store::codec {

struct RunIdRange {
  engine::model::RunId first;
  engine::model::RunId last;  ///< inclusive
};

/// Capitals and Crockford's look-alikes are read as meant. `InvalidArgument` when no id begins so.
engine::base::StatusOr<RunIdRange> RangeOfPrefix(std::string_view prefix);

/// How many runs a query for `OnlyRun` needs to fetch, at most.
inline constexpr int kCandidatesMax = 6;

/// The one run of `found`. `NotFound`; `InvalidArgument` that lists the candidates when there are
/// several.
engine::base::StatusOr<engine::ports::RunRow> OnlyRun(std::string_view prefix,
                                                      std::vector<engine::ports::RunRow> found);

}  // namespace store::codec
