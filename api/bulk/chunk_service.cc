// SPDX-License-Identifier: Apache-2.0
#include "api/bulk/chunk_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>

#include "api/bulk/wire_chunks.h"

namespace api::bulk {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;

namespace {

constexpr int kDigestsMax = 4096;
/// Of one message: large enough to be cheap, small enough to share the connection fairly.
constexpr std::size_t kMessageBytes = 256 << 10;

}  // namespace

ChunkService::ChunkService(ChunkServiceOptions options)
    : options_(std::move(options)),
      room_(options_.chunks_in_memory_max),
      unfinished_(options_.unfinished_bytes_max),
      pool_(options_.threads) {}

ChunkService::~ChunkService() {
  pool_.join();
}

// ---- HasChunks

base::Status ChunkService::AnswerHas(model::WorkerId worker, const pb::HasChunksRequest& request,
                                     pb::HasChunksResponse& response) {
  if (request.digests_size() > kDigestsMax) {
    return base::InvalidArgument("digests: {} of them; the most are {}", request.digests_size(),
                                 kDigestsMax);
  }
  ASSIGN_OR_RETURN(const model::AttemptKey attempt, AttemptFrom(request.attempt()));
  std::vector<base::Digest> digests;
  for (const std::string& bytes : request.digests()) {
    ASSIGN_OR_RETURN(const base::Digest digest, DigestFrom(bytes));
    digests.push_back(digest);
  }
  RETURN_IF_ERROR(options_.grants->Declare(worker, attempt, digests));
  for (const base::Digest& digest : digests) {
    ASSIGN_OR_RETURN(const bool is_present, options_.store->Has(digest));
    pb::ChunkPresence* chunk = response.add_chunks();
    chunk->set_present(is_present);
    if (!is_present) {
      chunk->set_received(unfinished_.Received({worker, digest}));
    }
  }
  return base::OkStatus();
}

grpc::ServerUnaryReactor* ChunkService::HasChunks(grpc::CallbackServerContext* context,
                                                  const pb::HasChunksRequest* request,
                                                  pb::HasChunksResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto worker = options_.worker_of(*context);
  if (!worker.ok()) {
    reactor->Finish(ToGrpcStatus(worker.status()));
    return reactor;
  }
  boost::asio::post(pool_, [this, reactor, request, response, worker = *worker] {
    reactor->Finish(ToGrpcStatus(AnswerHas(worker, *request, *response)));
  });
  return reactor;
}

// ---- PutChunk

/// Reads the first message, waits for room, reads the rest, stores. gRPC calls one method at a
/// time; it is deleted by the last (`OnDone`), which comes after `Finish`.
class ChunkService::Put : public grpc::ServerReadReactor<pb::PutChunkRequest> {
 public:
  Put(ChunkService& service, base::StatusOr<model::WorkerId> worker)
      : service_(service), worker_(std::move(worker)) {
    if (worker_.ok()) {
      StartRead(&message_);
    } else {
      Finish(ToGrpcStatus(worker_.status()));
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      return End();
    }
    if (!has_begun_) {
      const base::Status begun = Begin();
      return begun.ok() ? WaitForRoom() : Finish(ToGrpcStatus(begun));
    }
    Take();
  }
  void OnCancel() override {}
  void OnDone() override { delete this; }

 private:
  base::Status Begin() {
    has_begun_ = true;
    const pb::PutChunkStart& start = message_.start();
    ASSIGN_OR_RETURN(const model::AttemptKey attempt, AttemptFrom(start.attempt()));
    ASSIGN_OR_RETURN(digest_, DigestFrom(start.digest()));
    size_ = start.size();
    offset_ = start.offset();
    if (size_ > engine::ports::kChunkBytesMax || offset_ > size_) {
      return base::InvalidArgument("start: bytes from {} of a chunk of {}; the most are {}",
                                   offset_, size_, engine::ports::kChunkBytesMax);
    }
    return service_.options_.grants->MayPut(*worker_, attempt, digest_);
  }

  // The call stays until it is finished, so this is there when the place is.
  void WaitForRoom() {
    service_.room_.Enter([this](TransferRoom::Place place) {
      place_ = std::move(place);
      bytes_ = service_.unfinished_.Take({*worker_, digest_});
      if (offset_ == 0) {
        bytes_.clear();
      }
      if (bytes_.size() != offset_) {
        return Finish(ToGrpcStatus(base::FailedPrecondition(
            "offset: bytes from {} on, but {} are there", offset_, bytes_.size())));
      }
      bytes_.reserve(size_);
      Take();
    });
  }

  void Take() {
    const std::string& data = message_.data();
    if (data.size() > size_ - bytes_.size()) {
      return Finish(
          ToGrpcStatus(base::InvalidArgument("more bytes than the {} of the chunk", size_)));
    }
    bytes_ += data;
    StartRead(&message_);
  }

  /// No more messages come: all is there, or the transfer was cut off.
  void End() {
    if (!has_begun_) {
      return Finish(ToGrpcStatus(base::InvalidArgument("a chunk without its start")));
    }
    if (bytes_.size() < size_) {
      service_.unfinished_.Keep({*worker_, digest_}, std::move(bytes_));
      return Finish(ToGrpcStatus(base::Aborted("the transfer was cut off")));
    }
    boost::asio::post(service_.pool_, [this] { Finish(ToGrpcStatus(Store())); });
  }

  base::Status Store() {
    if (base::Sha256(bytes_) != digest_) {
      return base::DataLoss("what arrived is not chunk {}", base::ToHex(digest_));
    }
    return service_.options_.store->Put(bytes_).status();
  }

  ChunkService& service_;
  const base::StatusOr<model::WorkerId> worker_;
  pb::PutChunkRequest message_;
  bool has_begun_ = false;
  base::Digest digest_;
  std::uint64_t size_ = 0;
  std::uint64_t offset_ = 0;
  TransferRoom::Place place_;
  std::string bytes_;
};

grpc::ServerReadReactor<pb::PutChunkRequest>* ChunkService::PutChunk(
    grpc::CallbackServerContext* context, pb::PutChunkResponse* /*response*/) {
  return new Put(*this, options_.worker_of(*context));
}

// ---- GetChunk

/// Waits for room, reads the chunk, sends it in pieces, one after the other.
class ChunkService::Get : public grpc::ServerWriteReactor<pb::GetChunkResponse> {
 public:
  Get(ChunkService& service, base::StatusOr<model::WorkerId> worker,
      const pb::GetChunkRequest& request)
      : service_(service), offset_(request.offset()) {
    const base::Status allowed = worker.ok() ? Begin(*worker, request) : worker.status();
    if (!allowed.ok()) {
      Finish(ToGrpcStatus(allowed));
      return;
    }
    service_.room_.Enter([this](TransferRoom::Place place) {
      place_ = std::move(place);
      boost::asio::post(service_.pool_, [this] { Load(); });
    });
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      SendNext();
    } else {
      Finish(ToGrpcStatus(base::Cancelled("the caller went away")));
    }
  }
  void OnDone() override { delete this; }

 private:
  base::Status Begin(model::WorkerId worker, const pb::GetChunkRequest& request) {
    ASSIGN_OR_RETURN(attempt_, AttemptFrom(request.attempt()));
    ASSIGN_OR_RETURN(digest_, DigestFrom(request.digest()));
    return service_.options_.grants->MayGet(worker, attempt_, digest_);
  }

  void Load() {
    auto read = service_.options_.store->Get(digest_);
    if (const base::Status given = read.ok() ? GiveChunks() : base::OkStatus(); !given.ok()) {
      return Finish(ToGrpcStatus(given));
    }
    if (read.ok() && offset_ > read->size()) {
      read = base::InvalidArgument("offset: {} of a chunk of {}", offset_, read->size());
    }
    if (!read.ok()) {
      return Finish(ToGrpcStatus(read.status()));
    }
    bytes_ = *std::move(read);
    message_.set_size(bytes_.size());
    // Also when there is nothing left: the size is worth a message.
    Send();
  }

  /// Only what the assignment names leads on: a chunk of a file that looks like a manifest does
  /// not.
  base::Status GiveChunks() {
    ChunkGrants& grants = *service_.options_.grants;
    if (service_.options_.chunks_of && grants.TakeArtifact(attempt_, digest_)) {
      ASSIGN_OR_RETURN(const std::vector<base::Digest> chunks,
                       service_.options_.chunks_of(digest_));
      grants.Give(attempt_, chunks);
    }
    return base::OkStatus();
  }

  void SendNext() {
    message_.clear_size();
    if (offset_ < bytes_.size()) {
      Send();
    } else {
      Finish(grpc::Status::OK);
    }
  }

  void Send() {
    const std::size_t length = std::min(kMessageBytes, bytes_.size() - offset_);
    message_.set_data(bytes_.data() + offset_, length);
    offset_ += length;
    StartWrite(&message_);
  }

  ChunkService& service_;
  model::AttemptKey attempt_;
  base::Digest digest_;
  std::size_t offset_;
  TransferRoom::Place place_;
  std::string bytes_;
  pb::GetChunkResponse message_;
};

grpc::ServerWriteReactor<pb::GetChunkResponse>* ChunkService::GetChunk(
    grpc::CallbackServerContext* context, const pb::GetChunkRequest* request) {
  return new Get(*this, options_.worker_of(*context), *request);
}

}  // namespace api::bulk
