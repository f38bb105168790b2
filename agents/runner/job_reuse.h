// SPDX-License-Identifier: Apache-2.0
// Finds the earlier result of a job with `reuse`, and keeps one: as caches, its artifacts under
// names made of the job's key, and last a file with all the rest. Blocks; any thread.
#pragma once

#include <string>

#include "agents/runner/attempt.h"
#include "agents/runner/job_caches.h"

namespace agents::runner {

/// With a result, its files are in the workspace. `scratch` is a path that is free to use.
ReuseAnswer FindEarlier(const CacheTools& tools, const ReuseRequest& request,
                        const std::string& scratch);

/// `artifacts` are the job's own, as they were kept. What is to be told; empty when nothing is.
std::string SaveResult(const CacheTools& tools, const ReuseSave& save,
                       const std::vector<engine::model::Artifact>& artifacts,
                       const std::string& scratch);

}  // namespace agents::runner
