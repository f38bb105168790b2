// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts/parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace store::artifacts {

engine::base::Status ForEachInParallel(
    unsigned threads, std::size_t count, std::stop_token stop,
    const std::function<engine::base::Status(unsigned, std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> ended = false;
  std::mutex mutex;
  engine::base::Status first;
  const auto fail = [&](engine::base::Status status) {
    ended = true;
    const std::lock_guard<std::mutex> lock(mutex);
    first = first.ok() ? std::move(status) : first;
  };
  const auto run = [&](unsigned thread) {
    for (std::size_t index = next++; index < count && !ended; index = next++) {
      if (stop.stop_requested()) {
        return fail(engine::base::Cancelled("told to stop"));
      }
      if (engine::base::Status status = work(thread, index); !status.ok()) {
        return fail(std::move(status));
      }
    }
  };
  std::vector<std::jthread> others;
  const auto wanted = static_cast<unsigned>(std::min<std::size_t>(std::max(1U, threads), count));
  for (unsigned thread = 1; thread < wanted; ++thread) {
    others.emplace_back(run, thread);
  }
  run(0);
  others.clear();
  return first;
}

}  // namespace store::artifacts
