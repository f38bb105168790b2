// SPDX-License-Identifier: Apache-2.0
// Our statuses and gRPC's: the codes have the same numbers.
#pragma once

#include <grpcpp/support/status.h>

#include "engine/base/status.h"

namespace api::wire {

grpc::Status ToGrpc(const engine::base::Status& status);
engine::base::Status FromGrpc(const grpc::Status& status);

}  // namespace api::wire
