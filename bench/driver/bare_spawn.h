// SPDX-License-Identifier: Apache-2.0
// The least that any runner must do: spawn, read the output to its end, reap. No state, no logs.
#pragma once

#include <string>

#include "bench/driver/workloads.h"

namespace bench::driver {

/// Runs `command` once a job, `slots` at a time, each layer after the one before. Returns 0 when
/// all succeeded.
int BareSpawn(const Shape& shape, const std::string& command, int slots);

}  // namespace bench::driver
