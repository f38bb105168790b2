// SPDX-License-Identifier: Apache-2.0
// Everything a server has while it owns the shard: store, engine, feeds, archive, intake. Built
// from what is durable, taken apart when another server takes over. On the engine's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "api/services/archive.h"
#include "api/services/intake.h"
#include "api/services/run_feeds.h"
#include "api/services/seat.h"
#include "apps/server_config.h"
#include "engine/base/status.h"
#include "engine/loop/engine_loop.h"
#include "engine/ports/agent_link.h"
#include "engine/ports/clock.h"

namespace apps::network {

struct OwnedShardOptions {
  const ServerConfig* config = nullptr;
  engine::ports::Clock* clock = nullptr;
  std::optional<engine::model::Epoch> leased;  ///< with Postgres: of our lease
  std::function<void(const engine::base::Status&)> on_trouble;
  /// As `Shard::pool_outlook`.
  std::function<std::string(std::string_view pool, const engine::model::PlaceNeed& need)>
      pool_outlook;
  /// As `Shard::read_tests`.
  std::function<engine::base::StatusOr<std::string>(const engine::base::Digest&)> read_tests;
  /// As `IntakeOptions::check_tree`.
  std::function<engine::base::Status(const engine::base::Digest&)> check_tree;
  /// The engine has given up: another owner, or a store that cannot be used.
  std::function<void(const engine::base::Status&)> on_fatal;
};

class OwnedShard {
 public:
  /// Takes the shard and recovers. Blocks for as long as reading back takes.
  static engine::base::StatusOr<std::unique_ptr<OwnedShard>> Open(boost::asio::io_context& io,
                                                                  api::services::Seat& seat,
                                                                  OwnedShardOptions options);
  ~OwnedShard();
  OwnedShard(const OwnedShard&) = delete;
  OwnedShard& operator=(const OwnedShard&) = delete;

  engine::loop::EngineLoop& loop() { return *loop_; }
  api::services::RunFeeds& feeds() { return *feeds_; }
  /// Issues what is outstanding, and takes the seat: calls are answered from here on.
  void Start(engine::ports::AgentLink& link);

 private:
  OwnedShard(boost::asio::io_context& io, api::services::Seat& seat, OwnedShardOptions options);
  engine::base::Status OpenStores();
  engine::base::Status Recover();

  boost::asio::io_context& io_;
  api::services::Seat& seat_;
  OwnedShardOptions options_;
  std::unique_ptr<engine::ports::RunStore> store_;
  std::unique_ptr<api::services::RunFeeds> feeds_;
  std::unique_ptr<engine::loop::EngineLoop> loop_;
  std::unique_ptr<api::services::Archive> archive_;
  std::unique_ptr<api::services::Intake> intake_;
  std::vector<engine::model::RunId> ended_;  ///< and not closed, when it was recovered
  bool seated_ = false;
};

}  // namespace apps::network
