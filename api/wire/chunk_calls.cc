// SPDX-License-Identifier: Apache-2.0
#include "api/wire/chunk_calls.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace api::wire {

namespace pb = dayfly::v1;

namespace {

/// Of one message: large enough to be cheap, small enough to share the connection fairly.
constexpr std::size_t kMessageBytes = 256 << 10;

}  // namespace

grpc::Status SendChunk(pb::Chunks::Stub& stub, grpc::ClientContext& context,
                       pb::PutChunkStart start, std::string_view bytes) {
  std::size_t offset = std::min<std::size_t>(start.offset(), bytes.size());
  start.set_size(bytes.size());
  pb::PutChunkRequest request;
  *request.mutable_start() = std::move(start);
  pb::PutChunkResponse response;
  const auto writer = stub.PutChunk(&context, &response);
  do {
    const std::size_t length = std::min(kMessageBytes, bytes.size() - offset);
    request.set_data(bytes.data() + offset, length);
    if (!writer->Write(request)) {
      break;  // `Finish` says why
    }
    offset += length;
    request.clear_start();
  } while (offset < bytes.size());
  writer->WritesDone();
  return writer->Finish();
}

}  // namespace api::wire
