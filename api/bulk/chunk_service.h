// SPDX-License-Identifier: Apache-2.0
// `Chunks` over this server's store. Handlers run on gRPC's threads and only pass bytes on; digests
// and the disk are dealt with on the threads of a pool. At most `chunks_in_memory_max` chunks are
// in memory, whatever the number of calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include <boost/asio/thread_pool.hpp>
#include <grpcpp/server_context.h>

#include "api/bulk/chunk_grants.h"
#include "api/bulk/transfer_room.h"
#include "api/bulk/unfinished_chunks.h"
#include "api/wire/chunks.grpc.pb.h"
#include "engine/ports/artifact_store.h"

namespace api::bulk {

/// A worker; or none: an operator, who belongs to no attempt and may put what no run refers to yet.
using Caller = std::optional<engine::model::WorkerId>;

struct ChunkServiceOptions {
  engine::ports::ArtifactStore* store = nullptr;
  ChunkGrants* grants = nullptr;
  /// Who calls; an error ends the call.
  std::function<engine::base::StatusOr<Caller>(grpc::ServerContextBase&)> caller_of;
  /// All chunks of the artifact whose manifest this is: who was given it may get them. Reads the
  /// store; called once for each artifact of an attempt, on the pool.
  std::function<engine::base::StatusOr<std::vector<engine::base::Digest>>(
      const engine::base::Digest& manifest)>
      chunks_of;
  std::size_t threads = 2;
  std::size_t chunks_in_memory_max = 16;
  /// A transfer that moves nothing for so long while others wait for room is cut off.
  std::chrono::milliseconds stalled_after{10'000};
  std::uint64_t unfinished_bytes_max = 32 << 20;
};

class ChunkService : public dayfly::v1::Chunks::CallbackService {
 public:
  explicit ChunkService(ChunkServiceOptions options);
  /// The server that this is registered with must have been shut down.
  ~ChunkService() override;

  /// `FailedPrecondition` names what is missing of an artifact; else all of it is here and counts
  /// as just relied on. Any thread; reads the store.
  engine::base::Status CheckWhole(const engine::base::Digest& manifest);

  grpc::ServerUnaryReactor* HasChunks(grpc::CallbackServerContext* context,
                                      const dayfly::v1::HasChunksRequest* request,
                                      dayfly::v1::HasChunksResponse* response) override;
  grpc::ServerReadReactor<dayfly::v1::PutChunkRequest>* PutChunk(
      grpc::CallbackServerContext* context, dayfly::v1::PutChunkResponse* response) override;
  grpc::ServerWriteReactor<dayfly::v1::GetChunkResponse>* GetChunk(
      grpc::CallbackServerContext* context, const dayfly::v1::GetChunkRequest* request) override;
  grpc::ServerUnaryReactor* FindCache(grpc::CallbackServerContext* context,
                                      const dayfly::v1::FindCacheRequest* request,
                                      dayfly::v1::FindCacheResponse* response) override;
  grpc::ServerUnaryReactor* AddCache(grpc::CallbackServerContext* context,
                                     const dayfly::v1::AddCacheRequest* request,
                                     dayfly::v1::AddCacheResponse* response) override;
  grpc::ServerUnaryReactor* DropCache(grpc::CallbackServerContext* context,
                                      const dayfly::v1::DropCacheRequest* request,
                                      dayfly::v1::DropCacheResponse* response) override;

 private:
  class Put;
  class Get;
  /// Answers a call with what `work` says, on the pool.
  grpc::ServerUnaryReactor* OnPool(grpc::CallbackServerContext* context,
                                   std::function<engine::base::Status(const Caller&)> work);
  /// The same, for workers only.
  grpc::ServerUnaryReactor* ForWorker(
      grpc::CallbackServerContext* context,
      std::function<engine::base::Status(engine::model::WorkerId)> work);
  engine::base::Status AnswerHas(const Caller& caller, const dayfly::v1::HasChunksRequest& request,
                                 dayfly::v1::HasChunksResponse& response);

  const ChunkServiceOptions options_;
  UnfinishedChunks unfinished_;
  std::mutex giving_;  ///< held while an artifact's chunks are looked up
  boost::asio::thread_pool pool_;
  TransferRoom room_;
};

}  // namespace api::bulk
