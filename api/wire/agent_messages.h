// SPDX-License-Identifier: Apache-2.0
// What agents and servers say (`agent.proto`), to and from the model's values. All that comes in is
// checked: `InvalidArgument` names the field, and nothing of the message takes effect.
#pragma once

#include "api/wire/agent.pb.h"
#include "engine/base/status.h"
#include "engine/model/agent_message.h"

namespace api::wire {

/// A message for a server larger than this ends the call.
inline constexpr int kMessageBytesMax = 16 << 20;
/// One for an agent: an assignment names what all needs of a job left, and the server decides what
/// it sends.
inline constexpr int kAgentMessageBytesMax = 64 << 20;
/// Of `LogBatch.data`.
inline constexpr std::size_t kLogBatchBytesMax = 256U << 10;

/// A message about logs is none of these: see `IsLogMessage`.
void ToWire(const engine::model::AgentMessage& message, dayfly::v1::AgentMessage* out);
engine::base::StatusOr<engine::model::AgentMessage> AgentMessageFrom(
    const dayfly::v1::AgentMessage& message);

void ToWire(const engine::model::ServerMessage& message, dayfly::v1::ServerMessage* out);
engine::base::StatusOr<engine::model::ServerMessage> ServerMessageFrom(
    const dayfly::v1::ServerMessage& message);

/// Log bytes go their own way, past the engine; both ends check them with these.
bool IsLogMessage(const dayfly::v1::AgentMessage& message);
bool IsLogMessage(const dayfly::v1::ServerMessage& message);
engine::base::Status CheckLogMessage(const dayfly::v1::AgentMessage& message);
engine::base::Status CheckLogMessage(const dayfly::v1::ServerMessage& message);

}  // namespace api::wire
