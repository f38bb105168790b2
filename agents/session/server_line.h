// SPDX-License-Identifier: Apache-2.0
// One stream to a server, as gRPC's callback API has it: converts, checks, and posts what happens
// to the `io_context`. Made for one dial, thrown away after it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <boost/asio/io_context.hpp>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include "api/wire/agent.grpc.pb.h"
#include "api/wire/certificates.h"
#include "engine/base/status.h"
#include "engine/model/agent_message.h"

namespace agents::session {

/// All are called on the thread of the `io_context`, `ended` last and once.
struct LineEvents {
  std::function<void()> up;
  std::function<void(engine::model::ServerMessage)> message;
  std::function<void(dayfly::v1::LogAcknowledged)> log_acknowledged;
  std::function<void(engine::base::Status, std::string owner)> ended;
};

/// Counts the calls that gRPC has not done with, hung up or not: they still post to the
/// `io_context`, so whoever ends that waits for them first. Threads: any.
class CallsUnderWay {
 public:
  void Begin();
  void End();
  /// Until there are none. What was hung up is done with soon.
  void Wait();

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  int count_ = 0;
};

class ServerLine {
 public:
  /// Dials. `authority` and `client` as in `MakeChannel`.
  static std::shared_ptr<ServerLine> Open(boost::asio::io_context& io, const std::string& address,
                                          const std::string& authority,
                                          const api::wire::KeyPair& client, LineEvents events,
                                          std::shared_ptr<CallsUnderWay> calls);

  virtual ~ServerLine() = default;
  /// Any thread. Queued; dropped when the stream has ended.
  virtual void Send(dayfly::v1::AgentMessage message) = 0;
  /// Ends the stream soon; nothing of it is told any more.
  virtual void HangUp() = 0;
  /// Asks for a fresh certificate on the same connection. `done` on the thread of the `io_context`.
  using Renewed = std::function<void(engine::base::StatusOr<dayfly::v1::RenewResponse>)>;
  virtual void Renew(const std::string& request, Renewed done) = 0;
};

}  // namespace agents::session
