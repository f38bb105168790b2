// SPDX-License-Identifier: Apache-2.0
// Where streams meet the engine: everything they want goes to its thread through here, and finds
// there a hub, or learns who has one. Outlives streams and hub.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "api/hub/agent_hub.h"

namespace api::agents {

class Gate : public std::enable_shared_from_this<Gate> {
 public:
  explicit Gate(boost::asio::io_context& io) : io_(io) {}

  /// Any thread. `visit` is called on the engine's thread.
  void Post(std::function<void(Gate&)> visit) {
    boost::asio::post(io_, [self = shared_from_this(), visit = std::move(visit)] { visit(*self); });
  }

  // ---- on the engine's thread

  /// This server owns the shard from here.
  void Open(hub::AgentHub& hub) { hub_ = &hub; }
  /// It does not; `owner` is the address of who does, empty when that is not known.
  void Close(std::string owner) {
    hub_ = nullptr;
    owner_ = std::move(owner);
  }
  hub::AgentHub* hub() const { return hub_; }
  const std::string& owner() const { return owner_; }

 private:
  boost::asio::io_context& io_;
  hub::AgentHub* hub_ = nullptr;
  std::string owner_;
};

}  // namespace api::agents
