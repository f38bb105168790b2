// SPDX-License-Identifier: Apache-2.0
// What a server promises, judged from a finished history: the log as it is stored, what clients
// were told, what steps did to the outside, and who claimed to own the runs. Pure; it knows nothing
// of how the history came about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/fact.h"
#include "engine/model/ids.h"
#include "engine/model/status.h"

namespace tests::recovery {

namespace model = engine::model;

/// As it stands in the store.
struct LogRow {
  std::uint64_t seq = 0;  ///< of its last fact
  model::Epoch epoch;
  std::vector<model::Fact> facts;
};

/// A client's side of one submission.
struct Submitted {
  std::string key;
  model::RunId run;                   ///< that was acknowledged; 0: none was
  std::optional<model::Status> told;  ///< how it ended, as its watcher heard
};

/// The first step of an attempt left its mark outside.
using Executed = model::AttemptKey;

/// A process said that it owns the runs.
struct Claimed {
  std::string process;
  model::Epoch epoch;
};

struct History {
  std::vector<LogRow> log;
  std::vector<Submitted> submitted;
  std::vector<Executed> executed;
  std::vector<Claimed> claimed;
};

/// What of the history cannot be, one finding a line; empty: all is well. At the end of a history
/// every run that was accepted has ended.
std::vector<std::string> Judge(const History& history);

}  // namespace tests::recovery
