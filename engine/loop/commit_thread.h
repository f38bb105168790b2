// SPDX-License-Identifier: Apache-2.0
// The one thread that waits for the store. It does one thing at a time, a batch or what `Aside`
// gave it, and posts the outcome back to the engine's io_context.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include <boost/asio/io_context.hpp>

#include "engine/loop/committer.h"
#include "engine/ports/run_store.h"

namespace engine::loop {

class CommitThread : public Committer {
 public:
  /// Both outlive this.
  CommitThread(boost::asio::io_context& io, ports::RunStore& store);
  /// Waits for what is under way; its outcome is posted all the same.
  ~CommitThread() override;

  void Commit(const ports::CommitBatch& batch, Done done) override;
  void Aside(std::function<void()> work, std::function<void()> done) override;

 private:
  /// Something to do, that gives what is to be done afterwards on the engine's thread.
  using Job = std::function<std::function<void()>()>;
  void Take(Job job);
  void Run();

  boost::asio::io_context& io_;
  ports::RunStore& store_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Job job_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace engine::loop
