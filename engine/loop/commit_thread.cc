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

void CommitThread::Commit(const ports::CommitBatch& batch, Done done) {
  {
    const std::lock_guard lock(mutex_);
    CHECK(batch_ == nullptr);
    batch_ = &batch;
    // The io_context must not run out of work while the answer is on its way.
    done_ = [done = std::move(done), guard = boost::asio::make_work_guard(io_)](
                const base::Status& status) { done(status); };
  }
  wake_.notify_one();
}

void CommitThread::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || batch_ != nullptr; });
    if (batch_ == nullptr) {
      return;
    }
    const ports::CommitBatch& batch = *std::exchange(batch_, nullptr);
    Done done = std::exchange(done_, nullptr);
    lock.unlock();
    base::Status status = store_.Commit(batch);
    boost::asio::post(io_, [done = std::move(done), status = std::move(status)] { done(status); });
    lock.lock();
  }
}

}  // namespace engine::loop
