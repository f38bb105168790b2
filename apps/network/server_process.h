// SPDX-License-Identifier: Apache-2.0
// One server: its io_context on this thread, its ports, and the shard while it owns it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/services/seat.h"
#include "api/services/workers_service.h"
#include "apps/network/agent_side.h"
#include "apps/network/api_server.h"
#include "apps/network/bulk_side.h"
#include "apps/network/owned_shard.h"
#include "apps/network/pool_side.h"
#include "apps/network/run_sweep.h"
#include "apps/network/worker_secrets.h"
#include "apps/server_config.h"
#include "engine/base/status.h"
#include "engine/loop/lease_keeper.h"
#include "engine/loop/system_clock.h"
#include "engine/ports/shard_lease.h"

namespace apps::network {

class ServerProcess {
 public:
  explicit ServerProcess(ServerConfig config);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Until SIGTERM or SIGINT, or until it cannot go on. With `print_ready`: `ready unix:SOCKET
  /// HOST:PORT` on standard output once it serves.
  engine::base::Status Run(bool print_ready);

 private:
  engine::base::Status Prepare();
  engine::base::Status LockStore();
  engine::base::Status OpenAgentSide();
  engine::base::Status OpenRunSweep();
  api::services::WorkersParts WorkersOf();
  engine::base::Status OwnShard(std::optional<engine::model::Epoch> leased);
  engine::base::Status StandBy();
  void Keep();
  void TakeShard(engine::model::Epoch epoch);
  void TakeShardSoon(engine::model::Epoch epoch);
  void OnStanding(engine::loop::Standing standing, engine::model::Epoch epoch);
  void LoseShard();
  void EndShard();
  void LookForOwner();
  std::string OtherOwner() const;
  std::string OwnAddress() const;
  void WaitForSignal();
  void Stop();
  void CutOffCalls();
  void GiveUp(const engine::base::Status& status);

  ServerConfig config_;
  boost::asio::io_context io_;
  engine::loop::SystemClock clock_;
  api::services::Seat seat_;
  std::unique_ptr<engine::ports::AgentLink> no_agents_;
  std::unique_ptr<WorkerSecrets> secrets_;
  BulkSide bulk_;
  std::unique_ptr<AgentSide> agents_;    ///< null: nobody can join
  std::unique_ptr<PoolSide> pools_;      ///< null with it
  std::unique_ptr<RunSweep> run_sweep_;  ///< null: runs are kept for ever
  std::unique_ptr<OwnedShard> shard_;
  std::unique_ptr<api::services::WorkersService> workers_;
  std::unique_ptr<ApiServer> api_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer look_timer_;
  boost::asio::steady_timer retry_timer_;             ///< to take the shard
  std::string own_address_;                           ///< as the lease names it
  std::unique_ptr<engine::ports::ShardLease> lease_;  ///< with PostgreSQL; outlives the keeper
  std::unique_ptr<engine::loop::LeaseKeeper> keeper_;
  int lock_ = -1;  ///< of the SQLite file: one server at a time
  engine::base::Status ended_;
};

}  // namespace apps::network
