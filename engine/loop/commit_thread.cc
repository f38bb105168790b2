// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/commit_thread.h"

#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "engine/base/check.h"
#include "engine/loop/quiet_thread.h"

namespace engine::loop {

CommitThread::CommitThread(boost::asio::io_context& io, ports::RunStore& store)
    : io_(io), store_(store) {
  thread_ = StartQuietThread("dayfly-commit", [this] { Run(); });
}

CommitThread::~CommitThread() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void CommitThread::Take(Job job) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(job_ == nullptr);
    job_ = std::move(job);
  }
  wake_.notify_one();
}

void CommitThread::Commit(const ports::CommitBatch& batch, Done done) {
  // The io_context must not run out of work while the answer is on its way.
  Take([this, &batch, done = std::move(done), guard = boost::asio::make_work_guard(io_)] {
    return [done, guard, status = store_.Commit(batch)] { done(status); };
  });
}

void CommitThread::Aside(std::function<void()> work, std::function<void()> done) {
  Take([work = std::move(work), done = std::move(done), guard = boost::asio::make_work_guard(io_)] {
    work();
    return [done, guard] { done(); };
  });
}

void CommitThread::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || job_ != nullptr; });
    if (job_ == nullptr) {
      return;
    }
    const Job job = std::exchange(job_, nullptr);
    lock.unlock();
    boost::asio::post(io_, job());
    lock.lock();
  }
}

}  // namespace engine::loop
