// SPDX-License-Identifier: Apache-2.0
// Calls that are banned, each with what to use in its place.
#pragma once

#include "tests/repo/findings.h"
#include "tests/repo/tree.h"

namespace tests::repo {

/// In `engine/{base,model,expr,graph,placement,core}`: clocks, randomness, threads, locks, I/O,
/// logging, environment, decisions by hash order.
Findings CheckPurity(const Tree& tree);

/// Everywhere: what the compiler or the tools of Debian 12 cannot read, what steals exits; in
/// tests: sleeping.
Findings CheckBannedCalls(const Tree& tree);

}  // namespace tests::repo
