// SPDX-License-Identifier: Apache-2.0
// Agents whose jobs do nothing: real sessions, streams and TLS, and no runner. Every attempt
// succeeds as soon as it comes, or is held for ever.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "agents/session/identity.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"

namespace bench::server {

struct NoopAgentsOptions {
  std::string address;
  std::uint32_t slots = 1;
  std::uint32_t ahead_max = 0;
  bool hold = false;
  bool note_times = false;  ///< for `TakenAt`
};

class NoopAgents {
 public:
  /// They share one thread.
  NoopAgents(const std::vector<agents::session::AgentIdentity>& identities,
             const NoopAgentsOptions& options);
  ~NoopAgents();
  NoopAgents(const NoopAgents&) = delete;
  NoopAgents& operator=(const NoopAgents&) = delete;

  /// Until each has been welcomed.
  void AwaitLive() const;
  std::uint64_t attempts() const { return attempts_; }
  /// When an agent had the job in its hands, by the clock that people use; 0: never.
  engine::base::Instant TakenAt(const engine::model::AttemptKey& attempt) const;

 private:
  class Agent;

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::atomic<std::uint64_t> attempts_ = 0;
  std::atomic<std::size_t> live_ = 0;
  mutable std::mutex mutex_;
  std::map<engine::model::AttemptKey, engine::base::Instant> taken_at_;
  std::vector<std::unique_ptr<Agent>> agents_;
  std::thread thread_;
};

}  // namespace bench::server
