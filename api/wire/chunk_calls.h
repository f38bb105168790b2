// SPDX-License-Identifier: Apache-2.0
// How a chunk is put into messages, for whoever sends one. Blocks; any thread.
#pragma once

#include <string_view>

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include "api/wire/chunks.grpc.pb.h"

namespace api::wire {

/// Sends the chunk `bytes` from `start.offset()` on; `start` says all but the size.
grpc::Status SendChunk(dayfly::v1::Chunks::Stub& stub, grpc::ClientContext& context,
                       dayfly::v1::PutChunkStart start, std::string_view bytes);

}  // namespace api::wire
