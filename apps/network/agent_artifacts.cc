// SPDX-License-Identifier: Apache-2.0
#include "apps/network/agent_artifacts.h"

#include <functional>
#include <utility>
#include <vector>

#include "agents/chunks/remote_caches.h"
#include "agents/chunks/remote_store.h"
#include "api/wire/channels.h"
#include "store/artifacts/archive.h"

namespace apps::network {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

class AgentArtifacts::AttemptArchive final : public ports::ArtifactArchive {
 public:
  AttemptArchive(agents::chunks::RemoteStore::ChannelNow channel, const model::AttemptKey& attempt,
                 std::stop_token stop)
      : store_(std::move(channel), {.attempt = attempt}),
        archive_(store_),
        cancel_(std::move(stop), [this] { store_.Cancel(); }) {}

  base::StatusOr<model::Artifact> Pack(const ports::PackRequest& request,
                                       const ports::Transfer& transfer) override {
    return archive_.Pack(request, transfer);
  }
  base::Status CheckSameFiles(const std::vector<model::Artifact>& artifacts) override {
    return archive_.CheckSameFiles(artifacts);
  }
  base::Status Unpack(const model::Artifact& artifact, const std::string& root,
                      const ports::Transfer& transfer) override {
    return archive_.Unpack(artifact, root, transfer);
  }
  base::Status UnpackWhole(const model::Artifact& artifact, const std::string& root,
                           const ports::Transfer& transfer) override {
    return archive_.UnpackWhole(artifact, root, transfer);
  }
  base::StatusOr<std::string> HashFiles(const std::string& root,
                                        const std::vector<std::string>& paths) override {
    return archive_.HashFiles(root, paths);
  }
  base::StatusOr<std::string> HashTree(const std::string& root,
                                       const std::vector<std::string>& paths) override {
    return archive_.HashTree(root, paths);
  }
  base::StatusOr<std::string> ReadFiles(const std::string& root,
                                        const std::vector<std::string>& paths,
                                        std::uint64_t bytes_max, std::stop_token stop,
                                        const FileHandler& each) override {
    return archive_.ReadFiles(root, paths, bytes_max, std::move(stop), each);
  }
  base::StatusOr<base::Digest> PutDocument(std::string_view bytes) override {
    return archive_.PutDocument(bytes);
  }
  base::StatusOr<std::string> GetDocument(const base::Digest& document) override {
    return archive_.GetDocument(document);
  }

 private:
  agents::chunks::RemoteStore store_;
  store::artifacts::Archive archive_;
  std::stop_callback<std::function<void()>> cancel_;
};

void AgentArtifacts::Follow(const std::string& address,
                            const agents::session::AgentIdentity& identity) {
  auto channel = api::wire::MakeChannel(address, identity.authority, identity.pair);
  const std::lock_guard lock(mutex_);
  channel_ = std::move(channel);
}

std::function<std::shared_ptr<grpc::Channel>()> AgentArtifacts::ChannelNow() {
  return [this] {
    const std::lock_guard lock(mutex_);
    return channel_;
  };
}

std::shared_ptr<ports::ArtifactArchive> AgentArtifacts::Of(const model::AttemptKey& attempt,
                                                           std::stop_token stop) {
  return std::make_shared<AttemptArchive>(ChannelNow(), attempt, std::move(stop));
}

std::shared_ptr<ports::CacheIndex> AgentArtifacts::CachesOf(const model::AttemptKey& attempt,
                                                            std::stop_token stop) {
  return std::make_shared<agents::chunks::RemoteCaches>(ChannelNow(), attempt, std::move(stop));
}

}  // namespace apps::network
