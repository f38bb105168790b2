// SPDX-License-Identifier: Apache-2.0
// One thread that works off what others hand over, in order: compiling, reading the store. Bounded.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "engine/base/status.h"

namespace api::services {

class WorkQueue {
 public:
  using Work = std::function<void()>;
  /// `name` of at most 15 characters.
  WorkQueue(const std::string& name, std::size_t waiting_max);
  /// Finishes what is under way; what waits is dropped.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// Any thread. `ResourceExhausted` when too much waits: nothing was taken.
  engine::base::Status Do(Work work);

 private:
  void Run();

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> waiting_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace api::services
