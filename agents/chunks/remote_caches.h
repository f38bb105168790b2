// SPDX-License-Identifier: Apache-2.0
// The server's index of caches, for one attempt on a worker. A call is made once, and waits a while
// for a server: a cache is worth no more.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "api/wire/chunks.grpc.pb.h"
#include "engine/model/ids.h"
#include "engine/ports/cache_index.h"

namespace agents::chunks {

class RemoteCaches final : public engine::ports::CacheIndex {
 public:
  /// As of `RemoteStore`.
  using ChannelNow = std::function<std::shared_ptr<grpc::Channel>()>;
  RemoteCaches(ChannelNow channel, const engine::model::AttemptKey& attempt, std::stop_token stop,
               std::chrono::milliseconds patience = std::chrono::seconds(30))
      : channel_(std::move(channel)),
        attempt_(attempt),
        stop_(std::move(stop)),
        patience_(patience) {}

  engine::base::StatusOr<std::optional<engine::model::Artifact>> Find(
      const std::string& key, const std::vector<std::string>& restore_keys) override;
  engine::base::Status Add(const engine::model::Artifact& content) override;
  engine::base::Status Drop(const engine::model::Artifact& content) override;

 private:
  using Method =
      std::function<grpc::Status(dayfly::v1::Chunks::Stub& stub, grpc::ClientContext& context)>;
  engine::base::Status Call(const Method& method) const;

  const ChannelNow channel_;
  const engine::model::AttemptKey attempt_;
  const std::stop_token stop_;
  const std::chrono::milliseconds patience_;
};

}  // namespace agents::chunks
