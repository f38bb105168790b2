// SPDX-License-Identifier: Apache-2.0
#include "apps/network/log_watch.h"

#include <utility>

namespace apps::network {

namespace client = api::client;
namespace model = engine::model;

namespace {

constexpr std::uint64_t kTailLines = 50;
constexpr auto kLastBytesWait = std::chrono::seconds(10);

}  // namespace

LogWatch::LogWatch(client::Target target, model::RunId run, Output output)
    : run_(run),
      output_(std::move(output)),
      connection_(std::move(target)),
      thread_([this] { Work(); }) {}

LogWatch::~LogWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  client_.Cancel();
  thread_.join();
}

void LogWatch::FollowAll() {
  client::LogQuery query;
  query.run = run_;
  query.follow = true;
  const std::lock_guard lock(mutex_);
  wanted_.push_back(std::move(query));
  changed_.notify_all();
}

void LogWatch::ShowTail(const model::LogKey& log) {
  client::LogQuery query;
  query.run = run_;
  query.job = log.attempt.job;
  query.attempt = log.attempt.attempt;
  query.step = log.step;
  query.tail_lines = kTailLines;
  query.follow = true;
  query.quiet_max = kLastBytesWait;
  const std::lock_guard lock(mutex_);
  wanted_.push_back(std::move(query));
  changed_.notify_all();
}

void LogWatch::Finish() {
  std::unique_lock lock(mutex_);
  const auto is_done = [this] { return wanted_.empty() && !is_reading_; };
  for (std::uint64_t heard = heard_ + 1; !is_done() && heard != heard_;) {
    heard = heard_;
    changed_.wait_for(lock, kLastBytesWait, [&] { return is_done() || heard != heard_; });
  }
}

void LogWatch::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopped_ || !wanted_.empty(); });
    if (stopped_) {
      return;
    }
    const client::LogQuery query = std::move(wanted_.front());
    wanted_.pop_front();
    is_reading_ = true;
    lock.unlock();
    Read(query);
    lock.lock();
    is_reading_ = false;
    changed_.notify_all();
  }
}

// What cannot be read here, `dayfly logs` explains.
void LogWatch::Read(const client::LogQuery& query) {
  client::LogHandlers handlers;
  handlers.bytes = [this](const client::LogPiece& piece) {
    output_({.attempt = piece.attempt, .step = piece.step}, piece.bytes, piece.last);
    const std::lock_guard lock(mutex_);
    ++heard_;
    changed_.notify_all();
  };
  client_.Read(query, handlers).IgnoreError();
}

}  // namespace apps::network
