// SPDX-License-Identifier: Apache-2.0
// For tests: a server with its real parts (engine loop on a thread of its own, hub, gRPC over TLS
// on a port that the system chose) over a memory store that outlives it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "api/agents/agents_service.h"
#include "api/agents/enrolment.h"
#include "api/agents/gate.h"
#include "api/hub/agent_hub.h"
#include "api/wire/agent_messages.h"
#include "api/wire/channels.h"
#include "engine/base/check.h"
#include "engine/loop/engine_loop.h"
#include "engine/loop/system_clock.h"
#include "store/codec/plan_codec.h"
#include "store/memory/memory_run_store.h"
#include "store/memory/memory_worker_registry.h"

namespace tests::remote {

/// What several servers share, and what survives them.
struct World {
  engine::base::Instant UtcNow() const {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return engine::base::Instant(std::chrono::duration_cast<engine::base::Duration>(now) +
                                 engine::base::Duration(skew));
  }
  std::shared_ptr<store::memory::MemoryDisk> disk = std::make_shared<store::memory::MemoryDisk>();
  store::memory::MemoryWorkerRegistry registry;
  std::atomic<std::int64_t> skew = 0;  ///< of the servers' wall clock, in microseconds
  api::wire::KeyPair authority = *api::wire::MakeAuthority("test", UtcNow());
};

/// Keeps all facts; any thread may ask.
class FactKeeper : public engine::loop::Observer {
 public:
  void OnDurable(std::uint64_t /*first_seq*/, std::span<const engine::model::Fact> facts) override {
    const std::lock_guard lock(mutex_);
    facts_.insert(facts_.end(), facts.begin(), facts.end());
  }
  template <typename Body>
  std::vector<Body> All() const {
    const std::lock_guard lock(mutex_);
    std::vector<Body> found;
    for (const engine::model::Fact& fact : facts_) {
      if (const auto* body = std::get_if<Body>(&fact.body)) {
        found.push_back(*body);
      }
    }
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<engine::model::Fact> facts_;
};

class TestServer {
 public:
  /// Listens, and says that it is not the owner until `Own`.
  explicit TestServer(World& world)
      : world_(world), enrolment_(world.authority, world.registry), guard_(io_.get_executor()) {
    service_ = std::make_unique<api::agents::AgentsService>(
        api::agents::AgentsServiceParts{.gate = gate_,
                                        .enrolment = &enrolment_,
                                        .logs = nullptr,
                                        .now = [this] { return world_.UtcNow(); },
                                        .draw = [this] { return ++draws_; }});
    Listen();
    thread_ = std::thread([this] { io_.run(); });
  }

  ~TestServer() {
    for (const auto& server : servers_) {
      server->Shutdown(std::chrono::system_clock::now());
    }
    OnEngine([this] {
      gate_->Close("");
      loop_.reset();
      hub_.reset();
    });
    guard_.reset();
    io_.stop();
    thread_.join();
    servers_.clear();
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  /// One more port for the same service.
  std::string Listen() {
    int port = 0;
    grpc::ServerBuilder builder;
    const auto pair = api::wire::MakeCertificate(
        world_.authority,
        {.identity = {.kind = api::wire::Identity::Kind::kServer, .worker = {}, .name = "test"},
         .hosts = {api::wire::kServerHost},
         .life = api::wire::kAuthorityLife},
        world_.UtcNow());
    CHECK(pair.ok());
    builder.AddListeningPort("127.0.0.1:0",
                             api::wire::ServerTls(world_.authority.certificate, *pair), &port);
    builder.SetMaxReceiveMessageSize(api::wire::kMessageBytesMax);
    builder.RegisterService(service_.get());
    servers_.push_back(builder.BuildAndStart());
    CHECK(servers_.back() != nullptr);
    addresses_.push_back("127.0.0.1:" + std::to_string(port));
    return addresses_.back();
  }
  /// Closes a port, and cuts the streams on it.
  void CutOff(std::size_t place) { servers_[place]->Shutdown(std::chrono::system_clock::now()); }
  const std::string& address(std::size_t place = 0) const { return addresses_[place]; }

  /// Takes the shard.
  void Own() {
    OnEngine([this] {
      store_ = store::memory::OpenMemoryRunStore(world_.disk, {.through_codec = true});
      engine::loop::LoopOptions options;
      options.sequencer.liveness.emplace();
      loop_ = std::make_unique<engine::loop::EngineLoop>(io_, *store_, clock_, std::move(options));
      CHECK(loop_->Recover().ok());
      hub_ = std::make_unique<api::hub::AgentHub>(
          HubParts(), api::hub::HubOptions{.order_life = loop_->epoch().value(),
                                           .heartbeat = std::chrono::milliseconds(200)});
      hub_->Adopt(loop_->RecoveredWorkers());
      loop_->AddObserver(hub_.get());
      loop_->AddObserver(&facts_);
      loop_->Start(*hub_);
      gate_->Open(*hub_);
    });
  }
  /// The process is as good as dead; the disk stays.
  void Die() {
    OnEngine([this] {
      gate_->Close("");
      loop_.reset();
      hub_.reset();
    });
    for (const auto& server : servers_) {
      server->Shutdown(std::chrono::system_clock::now());
    }
  }
  void PointTo(const std::string& owner) {
    OnEngine([&] { gate_->Close(owner); });
  }

  void Submit(engine::model::RunId run, const engine::model::PlanRef& plan,
              engine::model::RunContext context) {
    engine::model::SubmitRun submit;
    submit.run = run;
    submit.digest = store::codec::DigestOf(*plan);
    submit.plan = plan;
    submit.context = std::make_shared<const engine::model::RunContext>(std::move(context));
    CHECK(loop_->Post(std::move(submit)).ok());
  }
  std::string Token() { return *enrolment_.MakeToken("default", "", world_.UtcNow()); }
  void Retire(engine::model::WorkerId worker) {
    CHECK(world_.registry.Retire(worker).ok());
    OnEngine([&] { hub_->Retire(worker); });
  }
  const FactKeeper& facts() const { return facts_; }

  /// Performs it on the engine's thread, and waits.
  void OnEngine(const std::function<void()>& what) {
    std::promise<void> done;
    boost::asio::post(io_, [&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }

 private:
  api::hub::HubParts HubParts() {
    return {
        .take =
            [this](engine::model::Input input, engine::loop::Reply reply) {
              loop_->PostReport(std::move(input), std::move(reply));
            },
        .touch = [this](auto worker, auto session) { loop_->Touch(worker, session); },
        .stream_ended = [this](auto worker, auto session) { loop_->StreamEnded(worker, session); },
        .soon = [this](std::function<void()> what) { boost::asio::post(io_, std::move(what)); },
        .watch = nullptr};
  }

  World& world_;
  boost::asio::io_context io_;
  std::shared_ptr<api::agents::Gate> gate_ = std::make_shared<api::agents::Gate>(io_);
  api::agents::Enrolment enrolment_;
  std::atomic<std::uint64_t> draws_ = 0;
  std::unique_ptr<api::agents::AgentsService> service_;
  std::vector<std::unique_ptr<grpc::Server>> servers_;
  std::vector<std::string> addresses_;

  // The engine's thread.
  engine::loop::SystemClock clock_;
  std::unique_ptr<engine::ports::RunStore> store_;
  FactKeeper facts_;
  std::unique_ptr<api::hub::AgentHub> hub_;
  std::unique_ptr<engine::loop::EngineLoop> loop_;

  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
};

}  // namespace tests::remote
