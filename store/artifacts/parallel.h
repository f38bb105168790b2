// SPDX-License-Identifier: Apache-2.0
// The same work for each of `count` things on a few threads, the caller's among them.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

#include "engine/base/status.h"

namespace store::artifacts {

/// Calls `work(i)` once for each i below `count`, in ascending order of start, from at most
/// `threads` threads. The first error ends it and is returned; `Cancelled` once `stop` asks.
engine::base::Status ForEachInParallel(
    unsigned threads, std::size_t count, std::stop_token stop,
    const std::function<engine::base::Status(unsigned thread, std::size_t index)>& work);

}  // namespace store::artifacts
