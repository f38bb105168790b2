// SPDX-License-Identifier: Apache-2.0
// Artifacts of an agent's attempts, kept by the server that the agent is with. Threads: any.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include <grpcpp/channel.h>

#include "agents/session/identity.h"
#include "engine/model/ids.h"
#include "engine/ports/artifact_archive.h"
#include "engine/ports/cache_index.h"

namespace apps::network {

class AgentArtifacts {
 public:
  /// The server that owns the shard, from here on, and who we are.
  void Follow(const std::string& address, const agents::session::AgentIdentity& identity);

  /// For one attempt, which may use it as long as it likes; `stop` ends its calls. This outlives
  /// it.
  std::shared_ptr<engine::ports::ArtifactArchive> Of(const engine::model::AttemptKey& attempt,
                                                     std::stop_token stop);

  /// The caches of its run; the same holds.
  std::shared_ptr<engine::ports::CacheIndex> CachesOf(const engine::model::AttemptKey& attempt,
                                                      std::stop_token stop);

 private:
  class AttemptArchive;
  std::function<std::shared_ptr<grpc::Channel>()> ChannelNow();
  std::mutex mutex_;
  std::shared_ptr<grpc::Channel> channel_;  ///< null: no server was heard yet
};

}  // namespace apps::network
