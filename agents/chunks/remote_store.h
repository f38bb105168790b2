// SPDX-License-Identifier: Apache-2.0
// The server's chunks, for one attempt on a worker: an `ArtifactStore` whose calls block for the
// network. Each transfer goes on where it was cut off; callers move several chunks at once from
// several threads, over one channel. In memory: the chunks that are being moved.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "api/wire/chunks.grpc.pb.h"
#include "engine/model/ids.h"
#include "engine/ports/artifact_store.h"

namespace agents::chunks {

struct RemoteStoreOptions {
  engine::model::AttemptKey attempt;
  /// How long a transfer that makes no progress is tried again, and how long it waits in between
  /// (twice as long each time).
  std::chrono::milliseconds give_up_after = std::chrono::minutes(5);
  std::chrono::milliseconds first_wait{50};
  std::chrono::milliseconds longest_wait{5000};
  /// A connection that moves nothing for so long is cut off.
  std::chrono::milliseconds call_timeout = std::chrono::minutes(2);
};

class RemoteStore : public engine::ports::ArtifactStore {
 public:
  /// Asked for each call, from any thread: the way to the server that owns the shard just now;
  /// null: there is none.
  using ChannelNow = std::function<std::shared_ptr<grpc::Channel>()>;
  RemoteStore(ChannelNow channel, RemoteStoreOptions options)
      : options_(options), channel_(std::move(channel)) {}
  /// No call is under way.
  ~RemoteStore() override = default;

  /// Beside the seam's errors: `PermissionDenied` when the attempt is not (or no longer) this
  /// worker's, `Unavailable` when the server could not be reached for `give_up_after`, `Cancelled`
  /// after `Cancel`.
  engine::base::StatusOr<engine::base::Digest> Put(std::string_view bytes) override;
  engine::base::StatusOr<std::string> Get(const engine::base::Digest& digest) override;
  engine::base::StatusOr<bool> Has(const engine::base::Digest& digest) override;

  /// Ends all calls, now and later. Any thread.
  void Cancel();

 private:
  class Call;
  class Patience;
  engine::base::Status PutOnce(const engine::base::Digest& digest, std::string_view bytes);
  engine::base::Status GetOnce(const engine::base::Digest& digest, std::string& bytes,
                               std::optional<std::uint64_t>& size);
  engine::base::StatusOr<dayfly::v1::ChunkPresence> Ask(const engine::base::Digest& digest);
  /// `Unavailable`: there is no server.
  engine::base::StatusOr<std::unique_ptr<dayfly::v1::Chunks::Stub>> Stub() const;
  /// False: cancelled.
  bool Wait(std::chrono::milliseconds time);

  const RemoteStoreOptions options_;
  const ChannelNow channel_;
  std::mutex mutex_;
  std::condition_variable cancelled_changed_;
  bool cancelled_ = false;
  std::set<grpc::ClientContext*> calls_;
};

}  // namespace agents::chunks
