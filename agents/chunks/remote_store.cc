// SPDX-License-Identifier: Apache-2.0
#include "agents/chunks/remote_store.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "api/wire/chunk_calls.h"
#include "api/wire/grpc_status.h"
#include "api/wire/values.h"

namespace agents::chunks {

namespace base = engine::base;
namespace pb = dayfly::v1;
namespace wire = api::wire;

namespace {

using Clock = std::chrono::steady_clock;

/// Worth another try. The last: what the server has of a chunk is not what it said, because it has
/// forgotten it meanwhile.
bool MayPass(const base::Status& status) {
  constexpr std::array kPassing = {
      absl::StatusCode::kUnavailable, absl::StatusCode::kAborted,
      absl::StatusCode::kDeadlineExceeded, absl::StatusCode::kResourceExhausted,
      absl::StatusCode::kUnknown, absl::StatusCode::kFailedPrecondition,
      // A server that stops cancels what is under way; our own cancel ends the wait.
      absl::StatusCode::kCancelled};
  return std::ranges::count(kPassing, status.code()) > 0;
}

}  // namespace

/// A context that `Cancel` reaches.
class RemoteStore::Call {
 public:
  explicit Call(RemoteStore& store) : store_(store) {
    context_.set_deadline(std::chrono::system_clock::now() + store.options_.call_timeout);
    const std::lock_guard lock(store_.mutex_);
    store_.calls_.insert(&context_);
    if (store_.cancelled_) {
      context_.TryCancel();
    }
  }
  ~Call() {
    const std::lock_guard lock(store_.mutex_);
    store_.calls_.erase(&context_);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  grpc::ClientContext* context() { return &context_; }

 private:
  RemoteStore& store_;
  grpc::ClientContext context_;
};

/// How often something is tried again.
class RemoteStore::Patience {
 public:
  explicit Patience(RemoteStore& store) : store_(store), wait_(store.options_.first_wait) {}

  /// After a failure: whether to try again, having waited. Progress restores patience.
  bool TryAgain(const base::Status& failure, bool made_progress) {
    if (made_progress) {
      began_ = Clock::now();
      wait_ = store_.options_.first_wait;
    }
    if (!MayPass(failure) || Clock::now() - began_ >= store_.options_.give_up_after ||
        !store_.Wait(wait_)) {
      return false;
    }
    wait_ = std::min(2 * wait_, store_.options_.longest_wait);
    return true;
  }

 private:
  RemoteStore& store_;
  Clock::time_point began_ = Clock::now();
  std::chrono::milliseconds wait_;
};

base::StatusOr<std::unique_ptr<pb::Chunks::Stub>> RemoteStore::Stub() const {
  const std::shared_ptr<grpc::Channel> channel = channel_();
  if (channel == nullptr) {
    return base::Unavailable("no server is heard");
  }
  return pb::Chunks::NewStub(channel);
}

void RemoteStore::Cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    for (grpc::ClientContext* context : calls_) {
      context->TryCancel();
    }
  }
  cancelled_changed_.notify_all();
}

bool RemoteStore::Wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !cancelled_changed_.wait_for(lock, time, [this] { return cancelled_; });
}

base::StatusOr<pb::ChunkPresence> RemoteStore::Ask(const base::Digest& digest) {
  pb::HasChunksRequest request;
  wire::ToWire(options_.attempt, request.mutable_attempt());
  request.add_digests(wire::ToWire(digest));
  pb::HasChunksResponse response;
  ASSIGN_OR_RETURN(const auto stub, Stub());
  Call call(*this);
  RETURN_IF_ERROR(wire::FromGrpc(stub->HasChunks(call.context(), request, &response)));
  if (response.chunks_size() != 1) {
    return base::Internal("{} answers for one chunk", response.chunks_size());
  }
  return response.chunks(0);
}

base::StatusOr<bool> RemoteStore::Has(const base::Digest& digest) {
  Patience patience(*this);
  while (true) {
    const auto presence = Ask(digest);
    if (presence.ok()) {
      return presence->present();
    }
    if (!patience.TryAgain(presence.status(), false)) {
      return presence.status();
    }
  }
}

/// What the server has decides where a transfer begins, so a cut needs no memory here.
base::Status RemoteStore::PutOnce(const base::Digest& digest, std::string_view bytes) {
  ASSIGN_OR_RETURN(const pb::ChunkPresence presence, Ask(digest));
  if (presence.present()) {
    return base::OkStatus();
  }
  pb::PutChunkStart start;
  wire::ToWire(options_.attempt, start.mutable_attempt());
  start.set_digest(wire::ToWire(digest));
  start.set_offset(presence.received());
  ASSIGN_OR_RETURN(const auto stub, Stub());
  Call call(*this);
  return wire::FromGrpc(wire::SendChunk(*stub, *call.context(), std::move(start), bytes));
}

base::StatusOr<base::Digest> RemoteStore::Put(std::string_view bytes) {
  if (bytes.size() > engine::ports::kChunkBytesMax) {
    return base::InvalidArgument("a chunk of {} bytes; the most are {}", bytes.size(),
                                 engine::ports::kChunkBytesMax);
  }
  const base::Digest digest = base::Sha256(bytes);
  Patience patience(*this);
  while (true) {
    const base::Status status = PutOnce(digest, bytes);
    if (status.ok()) {
      return digest;
    }
    if (!patience.TryAgain(status, false)) {
      return status;
    }
  }
}

base::Status RemoteStore::GetOnce(const base::Digest& digest, std::string& bytes,
                                  std::optional<std::uint64_t>& size) {
  pb::GetChunkRequest request;
  wire::ToWire(options_.attempt, request.mutable_attempt());
  request.set_digest(wire::ToWire(digest));
  request.set_offset(bytes.size());
  ASSIGN_OR_RETURN(const auto stub, Stub());
  Call call(*this);
  const auto reader = stub->GetChunk(call.context(), request);
  pb::GetChunkResponse response;
  while (reader->Read(&response)) {
    size = size.value_or(response.size());
    if (*size > engine::ports::kChunkBytesMax || bytes.size() + response.data().size() > *size) {
      call.context()->TryCancel();
      reader->Finish();
      return base::DataLoss("the server sends more than chunk {} can have", base::ToHex(digest));
    }
    bytes.reserve(*size);
    bytes += response.data();
  }
  return wire::FromGrpc(reader->Finish());
}

base::StatusOr<std::string> RemoteStore::Get(const base::Digest& digest) {
  std::string bytes;
  std::optional<std::uint64_t> size;
  Patience patience(*this);
  while (true) {
    const std::size_t before = bytes.size();
    const base::Status status = GetOnce(digest, bytes, size);
    if (status.ok()) {
      break;
    }
    if (!patience.TryAgain(status, bytes.size() > before)) {
      return status;
    }
  }
  if (base::Sha256(bytes) != digest) {
    return base::DataLoss("what arrived is not chunk {}", base::ToHex(digest));
  }
  return bytes;
}

}  // namespace agents::chunks
