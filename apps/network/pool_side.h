// SPDX-License-Identifier: Apache-2.0
// The pools whose workers this server starts itself: for each a provider, which outlives the shard,
// and while this server owns the shard a driver that keeps it at its size. On the engine's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/services/work_queue.h"
#include "api/wire/workers.pb.h"
#include "apps/network/agent_side.h"
#include "apps/network/log_gate.h"
#include "apps/server_config.h"
#include "engine/base/status.h"
#include "engine/loop/engine_loop.h"
#include "engine/loop/observer.h"
#include "engine/loop/pool_driver.h"
#include "engine/ports/clock.h"
#include "engine/ports/worker_provider.h"
#include "engine/ports/worker_watch.h"

namespace apps::network {

class PoolSide final : public engine::loop::Observer, public engine::ports::WorkerWatch {
 public:
  /// Finds the agents that earlier servers started here. All outlive this.
  static engine::base::StatusOr<std::unique_ptr<PoolSide>> Open(boost::asio::io_context& io,
                                                                const ServerConfig& config,
                                                                engine::ports::Clock& clock,
                                                                AgentSide& agents, LogGate& logs);
  /// Agents go on.
  ~PoolSide() override;

  /// This server owns the shard; between the loop's `Recover` and `Start`. `server`: where agents
  /// find it.
  engine::base::Status Begin(engine::loop::EngineLoop& engine, const std::string& server);
  /// Before the loop ends.
  void End();

  /// How many workers the pool keeps at least, from now on; answers how many it was before.
  /// `NotFound`; `InvalidArgument`: outside of its bounds; `FailedPrecondition`: its workers come
  /// by themselves.
  engine::base::StatusOr<std::uint32_t> Scale(const std::string& pool, std::uint32_t workers);
  /// Fills in what a driver knows.
  void Describe(dayfly::v1::PoolSummary& pool) const;
  /// For people: what is done so that the pool gets workers, or why nothing is; empty: nothing to
  /// say.
  std::string Outlook(std::string_view pool) const;
  /// For a job that asks for this: also that none is started for it, and why.
  std::string OutlookFor(std::string_view pool, const engine::model::PlaceNeed& need) const;

  // ---- engine::loop::Observer
  void OnDurable(std::uint64_t first_seq, std::span<const engine::model::Fact> facts) override;
  // ---- engine::ports::WorkerWatch
  void Ask(engine::model::WorkerId worker, engine::model::SessionId session) override;

 private:
  struct Pool {
    PoolConfig config;
    engine::model::WorkerOffer offer;  ///< of a worker that is started here, as far as is known
    std::unique_ptr<engine::ports::WorkerProvider> provider;
    std::unique_ptr<boost::asio::steady_timer> timer;
    std::unique_ptr<engine::loop::PoolDriver> driver;  ///< while this server owns the shard
    engine::loop::PoolLoad load;                       ///< as seen last
  };

  PoolSide(boost::asio::io_context& io, const ServerConfig& config, engine::ports::Clock& clock,
           AgentSide& agents, LogGate& logs);
  engine::base::Status OpenProvider(const PoolConfig& config);
  engine::loop::PoolDriverParts PartsOf(Pool& pool, const std::string& server);
  void MakeToken(const std::string& launch, const std::string& pool,
                 const std::function<void(engine::base::StatusOr<std::string>)>& done);
  void LookUp(engine::model::WorkerId worker);
  void Gone(engine::model::WorkerId worker, const std::string& cause,
            const std::function<void()>& noted);
  void Arm(Pool& pool, engine::base::Instant at);
  void LookSoon();
  void Look();
  template <typename Handler>
  auto WhileBegun(Handler handler);

  boost::asio::io_context& io_;
  const ServerConfig& config_;
  engine::ports::Clock& clock_;
  AgentSide& agents_;
  LogGate& logs_;
  std::map<std::string, Pool, std::less<>> pools_;
  engine::loop::EngineLoop* engine_ = nullptr;  ///< while this server owns the shard
  boost::asio::steady_timer look_timer_;
  bool look_is_due_ = false;
  std::shared_ptr<char> begun_;        ///< what belongs to an earlier ownership does nothing
  api::services::WorkQueue registry_;  ///< the registry blocks
};

}  // namespace apps::network
