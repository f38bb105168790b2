// SPDX-License-Identifier: Apache-2.0
// One agent's stream on the server: gRPC's threads read and write it, the engine's thread decides
// what is said. Only converts, checks and posts. At most `kUnderWayMax` messages wait for the
// engine's thread; then nothing is read, and the agent has to wait.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "api/agents/gate.h"
#include "api/agents/log_intake.h"
#include "api/hub/agent_hub.h"
#include "api/wire/agent.pb.h"
#include "engine/base/status.h"

namespace api::agents {

/// Shared by the reactor, the hub's `AgentStream` and what is posted; lives as long as the last.
class StreamLine : public std::enable_shared_from_this<StreamLine> {
 public:
  using Reactor = grpc::ServerBidiReactor<dayfly::v1::AgentMessage, dayfly::v1::ServerMessage>;

  StreamLine(std::shared_ptr<Gate> gate, LogIntake* logs, grpc::CallbackServerContext* context,
             Reactor* reactor)
      : gate_(std::move(gate)), logs_(logs), context_(context), reactor_(reactor) {}

  /// The registry knows the worker (or says why not). Reading begins.
  void Admit(const engine::base::StatusOr<hub::WorkerIdentity>& who);

  // ---- reactions, one of a kind at a time
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnCancelled();
  /// gRPC has done with the call; the reactor is about to go.
  void OnDone();

  // ---- any thread
  void Write(dayfly::v1::ServerMessage message);
  void Finish(const engine::base::Status& status, const std::string& owner = {});

 private:
  class HubStream;
  static constexpr int kUnderWayMax = 64;
  /// More than the orders that the largest agent can be owed: one that does not read is cut off.
  static constexpr std::size_t kOutgoingMax = 70'000;

  void Take(const dayfly::v1::AgentMessage& message);
  void TakeLog(const dayfly::v1::AgentMessage& message);
  void Deliver(engine::model::AgentMessage message);
  void Delivered();
  void Heard();
  void ReadNext();     ///< with `mutex_` held
  void WriteNext();    ///< with `mutex_` held
  void MaybeFinish();  ///< with `mutex_` held

  const std::shared_ptr<Gate> gate_;
  LogIntake* const logs_;

  // On the engine's thread only.
  std::shared_ptr<HubStream> stream_;
  bool over_ = false;

  // Written before reading begins.
  hub::WorkerIdentity who_;

  // In reactions to reads only.
  bool greeted_ = false;
  std::chrono::steady_clock::time_point heard_{};

  // Operations are started with the mutex held: gRPC never reacts inside of such a call.
  std::mutex mutex_;
  grpc::CallbackServerContext* context_;  ///< both null once the call is done
  Reactor* reactor_;
  dayfly::v1::AgentMessage incoming_;
  std::deque<dayfly::v1::ServerMessage> outgoing_;  ///< the first is being written
  bool reading_ = false;
  bool writing_ = false;
  int under_way_ = 0;
  std::optional<engine::base::Status> end_;  ///< what the call is to end with
  std::string owner_;
  bool finished_ = false;
};

}  // namespace api::agents
