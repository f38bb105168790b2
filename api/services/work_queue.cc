// SPDX-License-Identifier: Apache-2.0
#include "api/services/work_queue.h"

#include <csignal>
#include <pthread.h>
#include <utility>

namespace api::services {

namespace base = engine::base;

WorkQueue::WorkQueue(const std::string& name, std::size_t waiting_max) : waiting_max_(waiting_max) {
  // The new thread inherits the mask: signals are for the main thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

WorkQueue::~WorkQueue() {
  std::deque<Work> dropped;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    dropped.swap(waiting_);
  }
  wake_.notify_one();
  thread_.join();
}

base::Status WorkQueue::Do(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= waiting_max_) {
      return base::ResourceExhausted("{} requests wait already; try again later", waiting_max_);
    }
    waiting_.push_back(std::move(work));
  }
  wake_.notify_one();
  return base::OkStatus();
}

void WorkQueue::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (stop_) {
      return;
    }
    Work work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

}  // namespace api::services
