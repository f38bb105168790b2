// SPDX-License-Identifier: Apache-2.0
#include "api/bulk/chunk_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>

#include "api/wire/grpc_status.h"
#include "api/wire/values.h"

namespace api::bulk {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;
namespace wire = api::wire;

namespace {

constexpr int kDigestsMax = 4096;
/// Of one message: large enough to be cheap, small enough to share the connection fairly.
constexpr std::size_t kMessageBytes = 256 << 10;
constexpr std::size_t kKeyBytesMax = 512;
constexpr int kRestoreKeysMax = 64;

/// Where unfinished chunks of operators are kept; no worker has this id.
constexpr model::WorkerId kOperator;

base::StatusOr<model::WorkerId> WorkerOf(const base::StatusOr<Caller>& caller) {
  RETURN_IF_ERROR(caller.status());
  return caller->has_value() ? base::StatusOr<model::WorkerId>(**caller)
                             : base::PermissionDenied("only a worker may do this");
}

/// `Message` has an attempt exactly when a worker sends it.
template <typename Message>
base::StatusOr<std::optional<model::AttemptKey>> AttemptOf(const Caller& caller,
                                                           const Message& message) {
  if (caller.has_value()) {
    ASSIGN_OR_RETURN(const model::AttemptKey attempt, wire::AttemptKeyFrom(message.attempt()));
    return std::optional(attempt);
  }
  return message.has_attempt() ? base::StatusOr<std::optional<model::AttemptKey>>(
                                     base::PermissionDenied("attempt: is a worker's to name"))
                               : std::optional<model::AttemptKey>();
}

base::Status CheckKey(const std::string& key, std::string_view field) {
  return !key.empty() && key.size() <= kKeyBytesMax
             ? base::OkStatus()
             : base::InvalidArgument("{}: has {} bytes, not 1 to {}", field, key.size(),
                                     kKeyBytesMax);
}

}  // namespace

ChunkService::ChunkService(ChunkServiceOptions options)
    : options_(std::move(options)),
      unfinished_(options_.unfinished_bytes_max),
      pool_(options_.threads),
      room_(options_.chunks_in_memory_max, options_.stalled_after, pool_.get_executor()) {}

ChunkService::~ChunkService() {
  room_.Close();
  pool_.join();
}

// ---- HasChunks

base::Status ChunkService::AnswerHas(const Caller& caller, const pb::HasChunksRequest& request,
                                     pb::HasChunksResponse& response) {
  if (request.digests_size() > kDigestsMax) {
    return base::InvalidArgument("digests: {} of them; the most are {}", request.digests_size(),
                                 kDigestsMax);
  }
  ASSIGN_OR_RETURN(const auto attempt, AttemptOf(caller, request));
  std::vector<base::Digest> digests;
  for (const std::string& bytes : request.digests()) {
    ASSIGN_OR_RETURN(const base::Digest digest, wire::DigestFrom(bytes));
    digests.push_back(digest);
  }
  if (attempt.has_value()) {
    RETURN_IF_ERROR(options_.grants->Declare(*caller, *attempt, digests));
  }
  for (const base::Digest& digest : digests) {
    ASSIGN_OR_RETURN(const bool is_present, options_.store->Has(digest));
    pb::ChunkPresence* chunk = response.add_chunks();
    chunk->set_present(is_present);
    if (!is_present) {
      chunk->set_received(unfinished_.Received({caller.value_or(kOperator), digest}));
    }
  }
  return base::OkStatus();
}

grpc::ServerUnaryReactor* ChunkService::OnPool(grpc::CallbackServerContext* context,
                                               std::function<base::Status(const Caller&)> work) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto caller = options_.caller_of(*context);
  if (!caller.ok()) {
    reactor->Finish(wire::ToGrpc(caller.status()));
    return reactor;
  }
  boost::asio::post(pool_, [reactor, work = std::move(work), caller = *caller] {
    reactor->Finish(wire::ToGrpc(work(caller)));
  });
  return reactor;
}

grpc::ServerUnaryReactor* ChunkService::ForWorker(
    grpc::CallbackServerContext* context, std::function<base::Status(model::WorkerId)> work) {
  return OnPool(context, [work = std::move(work)](const Caller& caller) -> base::Status {
    ASSIGN_OR_RETURN(const model::WorkerId worker, WorkerOf(caller));
    return work(worker);
  });
}

grpc::ServerUnaryReactor* ChunkService::HasChunks(grpc::CallbackServerContext* context,
                                                  const pb::HasChunksRequest* request,
                                                  pb::HasChunksResponse* response) {
  return OnPool(context, [this, request, response](const Caller& caller) {
    return AnswerHas(caller, *request, *response);
  });
}

// ---- caches

grpc::ServerUnaryReactor* ChunkService::FindCache(grpc::CallbackServerContext* context,
                                                  const pb::FindCacheRequest* request,
                                                  pb::FindCacheResponse* response) {
  return ForWorker(context, [this, request, response](model::WorkerId worker) -> base::Status {
    ASSIGN_OR_RETURN(const model::AttemptKey attempt, wire::AttemptKeyFrom(request->attempt()));
    RETURN_IF_ERROR(CheckKey(request->key(), "key"));
    if (request->restore_keys_size() > kRestoreKeysMax) {
      return base::InvalidArgument("restore_keys: {} of them; the most are {}",
                                   request->restore_keys_size(), kRestoreKeysMax);
    }
    std::vector<std::string> restore_keys;
    for (const std::string& key : request->restore_keys()) {
      RETURN_IF_ERROR(CheckKey(key, "restore_keys"));
      restore_keys.push_back(key);
    }
    ASSIGN_OR_RETURN(const auto caches, options_.grants->CachesOf(worker, attempt));
    ASSIGN_OR_RETURN(const auto found, caches->Find(request->key(), restore_keys));
    if (found.has_value()) {
      options_.grants->GiveArtifact(attempt, found->manifest);
      wire::ToWire(*found, response->mutable_content());
    }
    return base::OkStatus();
  });
}

base::Status ChunkService::CheckWhole(const base::Digest& manifest) {
  if (!options_.chunks_of) {
    return base::OkStatus();
  }
  const auto chunks = options_.chunks_of(manifest);
  if (!chunks.ok()) {
    return base::FailedPrecondition("{}", base::Message(chunks.status()));
  }
  for (const base::Digest& chunk : *chunks) {
    ASSIGN_OR_RETURN(const bool is_there, options_.store->Has(chunk));
    if (!is_there) {
      return base::FailedPrecondition("chunk {} was not put", base::ToHex(chunk));
    }
  }
  return base::OkStatus();
}

grpc::ServerUnaryReactor* ChunkService::AddCache(grpc::CallbackServerContext* context,
                                                 const pb::AddCacheRequest* request,
                                                 pb::AddCacheResponse* /*response*/) {
  return ForWorker(context, [this, request](model::WorkerId worker) -> base::Status {
    ASSIGN_OR_RETURN(const model::AttemptKey attempt, wire::AttemptKeyFrom(request->attempt()));
    auto content = wire::ArtifactFrom(request->content());
    RETURN_IF_ERROR(wire::Inside("content", content.status()));
    RETURN_IF_ERROR(CheckKey(content->name, "content.name"));
    ASSIGN_OR_RETURN(const auto caches, options_.grants->CachesOf(worker, attempt));
    // This attempt has brought the list of it.
    RETURN_IF_ERROR(options_.grants->MayPut(worker, attempt, content->manifest));
    RETURN_IF_ERROR(wire::Inside("content", CheckWhole(content->manifest)));
    return caches->Add(*content);
  });
}

grpc::ServerUnaryReactor* ChunkService::DropCache(grpc::CallbackServerContext* context,
                                                  const pb::DropCacheRequest* request,
                                                  pb::DropCacheResponse* /*response*/) {
  return ForWorker(context, [this, request](model::WorkerId worker) -> base::Status {
    ASSIGN_OR_RETURN(const model::AttemptKey attempt, wire::AttemptKeyFrom(request->attempt()));
    auto content = wire::ArtifactFrom(request->content());
    RETURN_IF_ERROR(wire::Inside("content", content.status()));
    ASSIGN_OR_RETURN(const auto caches, options_.grants->CachesOf(worker, attempt));
    RETURN_IF_ERROR(options_.grants->MayGet(worker, attempt, content->manifest));
    return caches->Drop(*content);
  });
}

// ---- PutChunk

/// Reads the first message, waits for room, reads the rest, stores. gRPC calls one method at a
/// time; it is deleted by the last (`OnDone`), which comes after `Finish`.
class ChunkService::Put : public grpc::ServerReadReactor<pb::PutChunkRequest> {
 public:
  Put(ChunkService& service, grpc::CallbackServerContext& context, base::StatusOr<Caller> caller)
      : service_(service), context_(context), caller_(std::move(caller)) {
    if (caller_.ok()) {
      StartRead(&message_);
    } else {
      Finish(wire::ToGrpc(caller_.status()));
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      return End();
    }
    if (!has_begun_) {
      const base::Status begun = Begin();
      return begun.ok() ? WaitForRoom() : Finish(wire::ToGrpc(begun));
    }
    Take();
  }
  void OnCancel() override {}
  void OnDone() override {
    if (place_ != nullptr) {
      place_->Disarm();
    }
    delete this;
  }

 private:
  base::Status Begin() {
    has_begun_ = true;
    const pb::PutChunkStart& start = message_.start();
    ASSIGN_OR_RETURN(const auto attempt, AttemptOf(*caller_, start));
    ASSIGN_OR_RETURN(digest_, wire::DigestFrom(start.digest()));
    size_ = start.size();
    offset_ = start.offset();
    if (size_ > engine::ports::kChunkBytesMax || offset_ > size_) {
      return base::InvalidArgument("start: bytes from {} of a chunk of {}; the most are {}",
                                   offset_, size_, engine::ports::kChunkBytesMax);
    }
    return attempt.has_value() ? service_.options_.grants->MayPut(**caller_, *attempt, digest_)
                               : base::OkStatus();
  }

  /// What was cut off may go on only for whom it began.
  UnfinishedChunks::Key Unfinished() const { return {caller_->value_or(kOperator), digest_}; }

  // The call stays until it is finished, so this is there when the place is.
  void WaitForRoom() {
    service_.room_.Enter([this](TransferRoom::Place place) {
      place_ = std::move(place);
      bytes_ = service_.unfinished_.Take(Unfinished());
      if (offset_ == 0) {
        bytes_.clear();
      }
      if (bytes_.size() != offset_) {
        return Finish(wire::ToGrpc(base::FailedPrecondition(
            "offset: bytes from {} on, but {} are there", offset_, bytes_.size())));
      }
      bytes_.reserve(size_);
      place_->Arm([this] { context_.TryCancel(); });
      Take();
    });
  }

  void Take() {
    const std::string& data = message_.data();
    if (data.size() > size_ - bytes_.size()) {
      return Finish(
          wire::ToGrpc(base::InvalidArgument("more bytes than the {} of the chunk", size_)));
    }
    bytes_ += data;
    place_->Moved();
    StartRead(&message_);
  }

  /// No more messages come: all is there, or the transfer was cut off.
  void End() {
    if (!has_begun_) {
      return Finish(wire::ToGrpc(base::InvalidArgument("a chunk without its start")));
    }
    if (bytes_.size() < size_) {
      service_.unfinished_.Keep(Unfinished(), std::move(bytes_));
      return Finish(wire::ToGrpc(base::Aborted("the transfer was cut off")));
    }
    place_->Disarm();  // what takes its time now is our disk
    boost::asio::post(service_.pool_, [this] { Finish(wire::ToGrpc(Store())); });
  }

  base::Status Store() {
    if (base::Sha256(bytes_) != digest_) {
      return base::DataLoss("what arrived is not chunk {}", base::ToHex(digest_));
    }
    return service_.options_.store->Put(bytes_).status();
  }

  ChunkService& service_;
  grpc::CallbackServerContext& context_;
  const base::StatusOr<Caller> caller_;
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
  return new Put(*this, *context, options_.caller_of(*context));
}

// ---- GetChunk

/// Waits for room, reads the chunk, sends it in pieces, one after the other.
class ChunkService::Get : public grpc::ServerWriteReactor<pb::GetChunkResponse> {
 public:
  Get(ChunkService& service, grpc::CallbackServerContext& context,
      base::StatusOr<model::WorkerId> worker, const pb::GetChunkRequest& request)
      : service_(service),
        context_(context),
        worker_(std::move(worker)),
        offset_(request.offset()) {
    const base::Status fits = worker_.ok() ? Begin(request) : worker_.status();
    if (!fits.ok()) {
      Finish(wire::ToGrpc(fits));
      return;
    }
    service_.room_.Enter([this](TransferRoom::Place place) {
      place_ = std::move(place);
      boost::asio::post(service_.pool_, [this] { Load(); });
    });
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      place_->Moved();
      SendNext();
    } else {
      Finish(wire::ToGrpc(base::Cancelled("the caller went away")));
    }
  }
  void OnDone() override {
    if (place_ != nullptr) {
      place_->Disarm();
    }
    delete this;
  }

 private:
  base::Status Begin(const pb::GetChunkRequest& request) {
    ASSIGN_OR_RETURN(attempt_, wire::AttemptKeyFrom(request.attempt()));
    ASSIGN_OR_RETURN(digest_, wire::DigestFrom(request.digest()));
    return base::OkStatus();
  }

  void Load() {
    if (const base::Status allowed = Allow(); !allowed.ok()) {
      return Finish(wire::ToGrpc(allowed));
    }
    auto read = service_.options_.store->Get(digest_);
    if (read.ok() && offset_ > read->size()) {
      read = base::InvalidArgument("offset: {} of a chunk of {}", offset_, read->size());
    }
    if (!read.ok()) {
      return Finish(wire::ToGrpc(read.status()));
    }
    bytes_ = *std::move(read);
    message_.set_size(bytes_.size());
    place_->Arm([this] { context_.TryCancel(); });
    // Also when there is nothing left: the size is worth a message.
    Send();
  }

  /// What the artifacts list is found out when somebody asks for it: by then another server may
  /// have handed out the manifests. Only what the assignment names leads on: a chunk of a file that
  /// looks like a manifest does not.
  base::Status Allow() {
    ChunkGrants& grants = *service_.options_.grants;
    const base::Status allowed = grants.MayGet(*worker_, attempt_, digest_);
    if (allowed.ok() || !service_.options_.chunks_of) {
      return allowed;
    }
    // Another call of the attempt may be at it: then this one finds what that one gave.
    const std::lock_guard lock(service_.giving_);
    for (const base::Digest& manifest : grants.TakeArtifacts(*worker_, attempt_)) {
      const auto chunks = service_.options_.chunks_of(manifest);
      if (!chunks.ok()) {
        grants.ReturnArtifact(attempt_, manifest);
        return chunks.status();
      }
      grants.Give(attempt_, *chunks);
    }
    return grants.MayGet(*worker_, attempt_, digest_);
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
  grpc::CallbackServerContext& context_;
  const base::StatusOr<model::WorkerId> worker_;
  model::AttemptKey attempt_;
  base::Digest digest_;
  std::size_t offset_;
  TransferRoom::Place place_;
  std::string bytes_;
  pb::GetChunkResponse message_;
};

grpc::ServerWriteReactor<pb::GetChunkResponse>* ChunkService::GetChunk(
    grpc::CallbackServerContext* context, const pb::GetChunkRequest* request) {
  return new Get(*this, *context, WorkerOf(options_.caller_of(*context)), *request);
}

}  // namespace api::bulk
