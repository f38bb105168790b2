// SPDX-License-Identifier: Apache-2.0
// The server's side of what workers move beside their orders. Its services live as long as the
// process; the stores behind them, and who may move what, as long as this server owns the shard:
// opened from assignments, closed by results, read back from the log where a worker comes with
// something that is older. On the engine's thread, but for the services.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <span>

#include <boost/asio/io_context.hpp>

#include "api/bulk/chunk_grants.h"
#include "api/bulk/chunk_service.h"
#include "api/bulk/log_acceptor.h"
#include "api/services/logs_service.h"
#include "api/services/seat.h"
#include "apps/network/attempt_notes.h"
#include "apps/network/log_gate.h"
#include "apps/network/store_sweep.h"
#include "apps/server_config.h"
#include "engine/base/status.h"
#include "engine/loop/engine_loop.h"
#include "engine/loop/observer.h"
#include "engine/ports/agent_link.h"
#include "store/artifacts/local_store.h"
#include "store/caches/folder_caches.h"
#include "store/logs/server_logs.h"

namespace apps::network {

class BulkSide final : public engine::loop::Observer {
 public:
  BulkSide(boost::asio::io_context& io, api::services::Seat& seat, const ServerConfig& config);
  /// The folders of `config` exist: opens the store of artifacts. Once, first.
  engine::base::Status OpenStore();
  ~BulkSide() override;
  BulkSide(const BulkSide&) = delete;
  BulkSide& operator=(const BulkSide&) = delete;

  LogGate* log_intake() { return &gate_; }
  grpc::Service* logs_service() { return &logs_service_; }
  grpc::Service* chunk_service() { return chunk_service_.get(); }
  /// `FailedPrecondition`: some of an uploaded tree is not here. Any thread.
  engine::base::Status CheckTree(const engine::base::Digest& manifest);
  /// Test results. Any thread.
  engine::base::StatusOr<std::string> ReadDocument(const engine::base::Digest& document);

  /// This server owns the shard; between the loop's `Recover` and `Start`. What is to be the
  /// engine's link in place of `agents`; both live until `Close`.
  engine::base::StatusOr<engine::ports::AgentLink*> Open(engine::loop::EngineLoop& loop,
                                                         engine::ports::AgentLink& agents);
  /// After the loop has ended.
  void Close();

  void OnDurable(std::uint64_t first_seq, std::span<const engine::model::Fact> facts) override;

 private:
  class GrantingLink;
  /// What this server has while it owns the shard.
  struct Tenure {
    std::unique_ptr<engine::ports::AgentLink> link;
    std::unique_ptr<store::logs::ServerLogs> logs;
    std::unique_ptr<api::bulk::LogAcceptor> acceptor;
    std::map<engine::model::RunId, RunNotes> runs;
    std::deque<engine::model::RunId> closed;  ///< the oldest first
    std::set<engine::model::RunId> known;     ///< all attempts of these are noted
    std::set<engine::model::RunId> wanted;    ///< to be read back
    std::set<engine::model::RunId> settling;  ///< once that is done, look for what is missing
    bool is_reading = false;
  };

  engine::base::StatusOr<api::bulk::Caller> CallerOf(grpc::ServerContextBase& context) const;
  void Grant(const engine::model::Assignment& assignment);
  void On(const engine::model::Fact& fact);
  void Ended(const engine::model::AttemptEnded& ended);
  void Lost(engine::model::WorkerId worker);
  void Closed(engine::model::RunId run);

  void LookUp(engine::model::RunId run);
  void ReadBack(api::services::Shard& shard);
  using Found = engine::base::StatusOr<std::map<engine::model::RunId, RunNotes>>;
  void Take(const std::set<engine::model::RunId>& asked, const Found& found);
  void Settling(engine::model::RunId run);
  void AbandonOrphans(engine::model::RunId run);
  void Abandon(const engine::model::AttemptKey& key, const AttemptNote& attempt, bool with_ended);
  void AbandonUnnamed(const engine::model::AttemptKey& key, const AttemptNote& attempt);

  boost::asio::io_context& io_;
  api::services::Seat& seat_;
  const ServerConfig& config_;
  api::bulk::ChunkGrants grants_;
  std::unique_ptr<store::artifacts::LocalStore> chunks_;
  std::unique_ptr<store::caches::FolderCaches> caches_;
  std::unique_ptr<StoreSweep> sweep_;
  std::unique_ptr<api::bulk::ChunkService> chunk_service_;
  std::atomic<bool> is_owner_ = false;
  LogGate gate_;
  api::services::LogsService logs_service_;
  engine::loop::EngineLoop* loop_ = nullptr;
  std::shared_ptr<Tenure> tenure_;  ///< null: another server owns the shard
};

}  // namespace apps::network
