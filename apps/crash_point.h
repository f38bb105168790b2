// SPDX-License-Identifier: Apache-2.0
// A test hook, in every build: `DAYFLY_CRASH_POINT=<name>[:k]` makes `dayfly run` end itself with
// SIGKILL at the k-th time (the first by default) it gets to that point, after `crash point <name>
// hit` on standard error.
//   before_first_commit     nothing is durable yet
//   commit_done_effect_not  a commit is durable, its effects have not been handed out
//   step_ended_not_committed  a step has ended, the commit that says so has not begun
//   while_resuming          1: the shard is taken, 2: its facts are read, 3: before the first
//   commit, 4: after it
// It is a wrapper around the store, so that production code has no branch for it.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "engine/base/status.h"
#include "engine/ports/run_store.h"

namespace apps {

enum class CrashPointName {
  kBeforeFirstCommit,
  kCommitDoneEffectNot,
  kStepEndedNotCommitted,
  kWhileResuming
};

struct CrashPoint {
  CrashPointName name;
  int count = 1;
};

/// From the variable's text; nothing when it is empty, an error that lists the names when it is
/// wrong.
engine::base::StatusOr<std::optional<CrashPoint>> ParseCrashPoint(std::string_view text);

/// `store` itself when the variable is not set.
engine::base::StatusOr<std::unique_ptr<engine::ports::RunStore>> WithCrashPoint(
    std::unique_ptr<engine::ports::RunStore> store, bool resuming);

}  // namespace apps
