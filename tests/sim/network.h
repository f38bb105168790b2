// SPDX-License-Identifier: Apache-2.0
// What lies between agents and the server's hub: streams that take time, lose, repeat and reorder
// messages, and are cut.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/hub/agent_hub.h"
#include "engine/base/random.h"
#include "tests/sim/faults.h"
#include "tests/sim/remote_agent.h"
#include "tests/sim/schedule.h"

namespace tests::sim {

struct NetworkParts {
  Schedule* schedule = nullptr;
  engine::base::Random* random = nullptr;
  const Faults* faults = nullptr;
  std::function<api::hub::AgentHub*()> hub;  ///< null: no server is up
  std::function<std::string()> owner;        ///< the address it can be reached at
  std::function<void()> after;               ///< the hub was called
};

class Network {
 public:
  explicit Network(NetworkParts parts) : parts_(std::move(parts)) {}

  /// `agent` outlives the network.
  void Dial(RemoteAgent& agent, agents::core::StreamNumber number, const std::string& address);
  void Send(const RemoteAgent& agent, agents::core::StreamNumber number,
            const engine::model::AgentMessage& message);
  /// The agent ended the stream, or its process died.
  void HangUp(const RemoteAgent& agent);
  /// All streams end; nobody at the server is told any more.
  void ServerDied();
  std::uint64_t cuts() const { return cuts_; }

 private:
  class Stream;
  std::shared_ptr<Stream> Find(const RemoteAgent& agent) const;
  void Carry(engine::base::Instant& free, bool lost, const std::function<void()>& deliver);
  void ToServer(const std::shared_ptr<Stream>& stream, const engine::model::AgentMessage& message);
  void EndAtAgent(const std::shared_ptr<Stream>& stream);
  void EndAtServer(const std::shared_ptr<Stream>& stream);
  bool MaybeCut(const std::shared_ptr<Stream>& stream);

  NetworkParts parts_;
  std::vector<std::shared_ptr<Stream>> streams_;  ///< those that an agent still holds
  std::uint64_t cuts_ = 0;
};

}  // namespace tests::sim
