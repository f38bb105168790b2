// SPDX-License-Identifier: Apache-2.0
#include "api/wire/grpc_status.h"

#include <string>

namespace api::wire {

grpc::Status ToGrpc(const engine::base::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(engine::base::Message(status))};
}

engine::base::Status FromGrpc(const grpc::Status& status) {
  return engine::base::MakeStatus(static_cast<absl::StatusCode>(status.error_code()),
                                  status.error_message());
}

}  // namespace api::wire
