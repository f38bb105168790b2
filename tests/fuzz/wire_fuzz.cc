// SPDX-License-Identifier: Apache-2.0
// Bytes of the wire: what is understood comes back the same from the model; the rest is refused by
// a message that names the field. The first byte chooses the direction.
#include <cstddef>
#include <cstdint>
#include <string>

#include "api/wire/agent_messages.h"
#include "engine/base/check.h"

namespace {

namespace wire = api::wire;
namespace pb = dayfly::v1;

template <typename Status>
void CheckRefusal(const Status& status) {
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(engine::base::Message(status).find(':') != std::string_view::npos);
}

template <typename Wire, typename From>
void Check(const std::string& bytes, From from) {
  Wire message;
  if (!message.ParseFromString(bytes)) {
    return;
  }
  if (wire::IsLogMessage(message)) {
    if (const auto status = wire::CheckLogMessage(message); !status.ok()) {
      CheckRefusal(status);
    }
    return;
  }
  const auto value = from(message);
  if (!value.ok()) {
    return CheckRefusal(value.status());
  }
  Wire once;
  wire::ToWire(*value, &once);
  const auto again = from(once);
  CHECK(again.ok());
  Wire twice;
  wire::ToWire(*again, &twice);
  CHECK(once.SerializeAsString() == twice.SerializeAsString());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    Check<pb::AgentMessage>(bytes,
                            [](const auto& message) { return wire::AgentMessageFrom(message); });
  } else {
    Check<pb::ServerMessage>(bytes,
                             [](const auto& message) { return wire::ServerMessageFrom(message); });
  }
  return 0;
}
