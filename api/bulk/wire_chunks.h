// SPDX-License-Identifier: Apache-2.0
// What both ends of `Chunks` convert. `InvalidArgument` names the field.
#pragma once

#include <string>

#include <grpcpp/support/status.h>

#include "api/wire/common.pb.h"
#include "engine/base/digest.h"
#include "engine/base/status.h"
#include "engine/model/ids.h"

namespace api::bulk {

engine::base::StatusOr<engine::model::AttemptKey> AttemptFrom(const dayfly::v1::AttemptKey& key);
void ToWire(const engine::model::AttemptKey& key, dayfly::v1::AttemptKey* out);

engine::base::StatusOr<engine::base::Digest> DigestFrom(const std::string& bytes);
std::string ToWire(const engine::base::Digest& digest);

/// The codes have the same numbers.
grpc::Status ToGrpcStatus(const engine::base::Status& status);
engine::base::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace api::bulk
