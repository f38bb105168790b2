// SPDX-License-Identifier: Apache-2.0
// A server in this process: the real store, engine, services and gRPC over a socket, with workers
// that do as the test says. `Restart` takes everything but the files away and builds it anew.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "api/client/connection.h"
#include "api/client/run_client.h"
#include "api/services/seat.h"
#include "apps/network/api_server.h"
#include "apps/network/owned_shard.h"
#include "apps/server_config.h"
#include "engine/loop/system_clock.h"
#include "engine/ports/agent_link.h"
#include "tests/support/temp_folder.h"

namespace tests::server {

namespace base = engine::base;
namespace model = engine::model;

/// One worker with many slots. Eager: every attempt succeeds at once. Otherwise it begins each and
/// ends none until `Finish`.
class TestAgents final : public engine::ports::AgentLink {
 public:
  explicit TestAgents(bool eager) : eager_(eager) {}

  void Join(engine::loop::EngineLoop& loop);
  /// Ends all that was begun, now and from here on.
  void Finish();
  std::size_t dispatched() const;

  void Dispatch(const model::Assignment& assignment) override;
  void Stop(const model::StopAttempt& stop) override;

 private:
  void Begin(const model::Assignment& assignment);
  void End(const model::Assignment& assignment, model::Status status);

  mutable std::mutex mutex_;
  engine::ports::InputSink sink_;
  bool eager_;
  std::vector<model::Assignment> begun_;
  std::size_t dispatched_ = 0;
};

class ServerScene {
 public:
  /// With `certificates` it listens for TLS, too, on a port of its own.
  explicit ServerScene(bool eager = true, const std::string& certificates = "");
  ~ServerScene();

  /// As after kill -9: nothing is stopped well.
  void Restart();
  void StandBy(const std::string& owner);

  api::client::Connection Connect() const;
  std::string target() const { return "unix:" + config_.socket; }
  const std::string& tls_address() const { return api_->address(); }
  TestAgents& agents() { return *agents_; }
  api::services::Seat& seat() { return *seat_; }

  /// One job `one` whose step is `true`, without source.
  static api::wire::Submission Submission(const std::string& key);

 private:
  void Start();
  void StopAll();
  void OnEngine(const std::function<void()>& work);

  support::TempFolder folder_;
  apps::ServerConfig config_;
  engine::loop::SystemClock clock_;
  std::unique_ptr<TestAgents> agents_;  ///< outlives the server, as agents do
  std::unique_ptr<boost::asio::io_context> io_;
  std::unique_ptr<api::services::Seat> seat_;
  std::unique_ptr<apps::network::OwnedShard> shard_;
  std::unique_ptr<apps::network::ApiServer> api_;
  std::thread thread_;
};

}  // namespace tests::server
