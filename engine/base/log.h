// SPDX-License-Identifier: Apache-2.0
// The process's own diagnostics (spdlog), on standard error. Not for step output, not for what a
// command prints as its result, and never in the pure folders (model, expr, graph, placement,
// core).
#pragma once

#include <spdlog/spdlog.h>

namespace engine::base {

/// Sends log lines to standard error at `level` ("debug", "info", "warn", "error", "off"). Call
/// once, in `main`.
void InitLogging(const char* level);

}  // namespace engine::base
