// SPDX-License-Identifier: Apache-2.0
// Finds the earlier result of a job with `reuse`, and keeps one: as caches, its artifacts under
// names made of the job's key, and last a file with all the rest. Blocks; any thread.
#pragma once

#include <string>

#include "agents/runner/attempt.h"
#include "agents/runner/job_caches.h"

namespace agents::runner {

/// A result has all its chunks in the store. `scratch` is a path that is free to use, as is
/// `scratch` with a suffix.
ReuseAnswer FindEarlier(const CacheTools& tools, const ReuseRequest& request,
                        const std::string& scratch);

/// What is to be told.
std::string SaveResult(const CacheTools& tools, const ReuseSave& save, const std::string& scratch);

}  // namespace agents::runner
