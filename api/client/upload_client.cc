// SPDX-License-Identifier: Apache-2.0
#include "api/client/upload_client.h"

#include "api/wire/chunk_calls.h"
#include "api/wire/chunks.grpc.pb.h"
#include "api/wire/values.h"

namespace api::client {

namespace base = engine::base;
namespace pb = dayfly::v1;

namespace {

/// How often a chunk is begun again because the server has forgotten what it had of it.
constexpr int kTriesMax = 5;

bool MayPass(absl::StatusCode code) {
  return code == absl::StatusCode::kAborted || code == absl::StatusCode::kFailedPrecondition ||
         code == absl::StatusCode::kCancelled;
}

}  // namespace

base::StatusOr<pb::ChunkPresence> UploadClient::Ask(const base::Digest& digest) {
  pb::HasChunksRequest request;
  request.add_digests(wire::ToWire(digest));
  pb::HasChunksResponse response;
  RETURN_IF_ERROR(connection_.Call(/*repeatable=*/true, [&](const auto& channel, auto& context) {
    return pb::Chunks::NewStub(channel)->HasChunks(&context, request, &response);
  }));
  if (response.chunks_size() != 1) {
    return base::Internal("{} answers for one chunk", response.chunks_size());
  }
  return response.chunks(0);
}

base::StatusOr<bool> UploadClient::Has(const base::Digest& digest) {
  ASSIGN_OR_RETURN(const pb::ChunkPresence presence, Ask(digest));
  return presence.present();
}

// Another server may have nothing of what the last one had begun: it says so, and is asked again.
base::StatusOr<base::Digest> UploadClient::Put(std::string_view bytes) {
  const base::Digest digest = base::Sha256(bytes);
  for (int tries = 1;; ++tries) {
    ASSIGN_OR_RETURN(const pb::ChunkPresence presence, Ask(digest));
    if (presence.present()) {
      return digest;
    }
    pb::PutChunkStart start;
    start.set_digest(wire::ToWire(digest));
    start.set_offset(presence.received());
    const base::Status sent =
        connection_.Call(/*repeatable=*/true, [&](const auto& channel, auto& context) {
          const auto stub = pb::Chunks::NewStub(channel);
          return wire::SendChunk(*stub, context, start, bytes);
        });
    if (sent.ok()) {
      return digest;
    }
    if (!MayPass(sent.code()) || tries == kTriesMax) {
      return sent;
    }
  }
}

base::StatusOr<std::string> UploadClient::Get(const base::Digest& /*digest*/) {
  return base::Unimplemented("an operator reads no chunks");
}

}  // namespace api::client
