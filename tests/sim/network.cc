// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/network.h"

#include <algorithm>
#include <utility>

namespace tests::sim {

using engine::base::Duration;
using engine::base::Instant;
using std::chrono::milliseconds;
namespace core = agents::core;
namespace model = engine::model;

/// Both ends of one stream, and the server's view of it.
class Network::Stream : public api::hub::AgentStream,
                        public std::enable_shared_from_this<Network::Stream> {
 public:
  Stream(Network& network, RemoteAgent& agent, core::StreamNumber number)
      : agent_(agent), number_(number), network_(network) {}

  void Send(const model::ServerMessage& message) override {
    const auto self = shared_from_this();
    if (!at_server_ || network_.MaybeCut(self)) {
      return;
    }
    network_.Carry(agent_free_, agent_.cut_off(), [self, message] {
      if (self->at_agent_ && !self->agent_.cut_off()) {
        self->agent_.Hear(core::MessageCame{self->number_, message});
      }
    });
  }
  void Close(const engine::base::Status& /*status*/) override {
    at_server_ = false;
    network_.EndAtAgent(shared_from_this());
  }

  RemoteAgent& agent_;
  const core::StreamNumber number_;
  bool at_agent_ = true;    ///< the agent holds its end
  bool at_server_ = false;  ///< the hub does
  bool greeted_ = false;
  Instant agent_free_{};   ///< what goes to the agent arrives after this
  Instant server_free_{};  ///< what goes to the server does
 private:
  Network& network_;
};

std::shared_ptr<Network::Stream> Network::Find(const RemoteAgent& agent) const {
  const auto found =
      std::ranges::find_if(streams_, [&](const auto& stream) { return &stream->agent_ == &agent; });
  return found == streams_.end() ? nullptr : *found;
}

// In order, unless the seed wants a message lost, repeated or overtaken.
void Network::Carry(Instant& free, bool lost, const std::function<void()>& deliver) {
  if (lost || parts_.random->OneIn(parts_.faults->message_lost, 4000)) {
    return;
  }
  const Instant at = std::max(free, parts_.schedule->Now() + Duration(parts_.random->Below(3000)));
  if (parts_.random->OneIn(parts_.faults->message_reordered, 1000)) {
    parts_.schedule->At(at + milliseconds(parts_.random->Below(20)), deliver);
    return;
  }
  free = at;
  parts_.schedule->At(at, deliver);
  if (parts_.random->OneIn(parts_.faults->message_repeated, 1000)) {
    parts_.schedule->At(at + milliseconds(parts_.random->Below(50)), deliver);
  }
}

void Network::Dial(RemoteAgent& agent, core::StreamNumber number, const std::string& address) {
  if (agent.cut_off()) {
    return;  // silence
  }
  parts_.schedule->After(
      milliseconds(1 + parts_.random->Below(20)), [this, &agent, number, address] {
        if (parts_.hub() == nullptr || address != parts_.owner()) {
          const bool knows = parts_.hub() != nullptr && parts_.random->OneIn(1, 2);
          agent.Hear(core::StreamDown{number, knows ? parts_.owner() : ""});
          return;
        }
        std::erase_if(streams_, [&](const auto& stream) { return &stream->agent_ == &agent; });
        streams_.push_back(std::make_shared<Stream>(*this, agent, number));
        streams_.back()->at_server_ = true;
        agent.Hear(core::StreamUp{number});
      });
}

void Network::Send(const RemoteAgent& agent, core::StreamNumber number,
                   const model::AgentMessage& message) {
  const std::shared_ptr<Stream> stream = Find(agent);
  if (stream == nullptr || stream->number_ != number || !stream->at_agent_ || MaybeCut(stream)) {
    return;
  }
  // The first message is the call itself: it is there, or there is no stream.
  const bool lost = agent.cut_off();
  if (std::holds_alternative<model::AgentHello>(message)) {
    stream->server_free_ = parts_.schedule->Now() + Duration(parts_.random->Below(3000));
    parts_.schedule->At(stream->server_free_, [this, stream, message, lost] {
      if (!lost) {
        ToServer(stream, message);
      }
    });
    return;
  }
  Carry(stream->server_free_, lost, [this, stream, message] { ToServer(stream, message); });
}

void Network::ToServer(const std::shared_ptr<Stream>& stream, const model::AgentMessage& message) {
  api::hub::AgentHub* hub = parts_.hub();
  if (hub == nullptr || !stream->at_server_ || stream->agent_.cut_off()) {
    return;
  }
  const model::WorkerId worker = stream->agent_.worker();
  if (const auto* hello = std::get_if<model::AgentHello>(&message)) {
    stream->greeted_ = true;
    hub->Connected(stream, {worker, stream->agent_.pool(), "host"}, *hello);
  } else if (stream->greeted_) {
    hub->Received(*stream, worker, message);
  }
  parts_.after();
}

void Network::EndAtAgent(const std::shared_ptr<Stream>& stream) {
  parts_.schedule->After(milliseconds(parts_.random->Below(5)), [this, stream] {
    if (std::exchange(stream->at_agent_, false) && !stream->agent_.cut_off()) {
      stream->agent_.Hear(core::StreamDown{stream->number_, ""});
    }
    std::erase(streams_, stream);
  });
}

void Network::EndAtServer(const std::shared_ptr<Stream>& stream) {
  parts_.schedule->After(milliseconds(parts_.random->Below(5)), [this, stream] {
    api::hub::AgentHub* hub = parts_.hub();
    if (std::exchange(stream->at_server_, false) && hub != nullptr && stream->greeted_ &&
        !stream->agent_.cut_off()) {
      hub->Ended(*stream, stream->agent_.worker());
      parts_.after();
    }
  });
}

bool Network::MaybeCut(const std::shared_ptr<Stream>& stream) {
  if (!parts_.random->OneIn(parts_.faults->stream_cut, 1000)) {
    return false;
  }
  ++cuts_;
  EndAtAgent(stream);
  EndAtServer(stream);
  return true;
}

void Network::HangUp(const RemoteAgent& agent) {
  if (const std::shared_ptr<Stream> stream = Find(agent)) {
    stream->at_agent_ = false;
    EndAtServer(stream);
    std::erase(streams_, stream);
  }
}

void Network::ServerDied() {
  for (const std::shared_ptr<Stream>& stream : std::vector(streams_)) {
    stream->at_server_ = false;
    EndAtAgent(stream);
  }
}

}  // namespace tests::sim
