// SPDX-License-Identifier: Apache-2.0
#include "apps/network/agent_side.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "api/wire/key_files.h"
#include "apps/network/server_stores.h"
#include "apps/state_dir.h"
#include "apps/terminal.h"

namespace apps::network {

namespace agents = api::agents;
namespace base = engine::base;
namespace hub = api::hub;
namespace loop = engine::loop;
namespace model = engine::model;
namespace pb = dayfly::v1;
namespace ports = engine::ports;
namespace wire = api::wire;

base::StatusOr<std::unique_ptr<AgentSide>> AgentSide::Open(boost::asio::io_context& io,
                                                           const ServerConfig& config,
                                                           agents::LogIntake* logs) {
  auto authority = wire::LoadKeyPair(config.certificates, "ca");
  if (!authority.ok()) {
    return base::FailedPrecondition("{}; dayfly server init makes certificates",
                                    base::Message(authority.status()));
  }
  ASSIGN_OR_RETURN(auto registry, OpenWorkerRegistry(config));
  return std::unique_ptr<AgentSide>(
      new AgentSide(io, config, *std::move(authority), std::move(registry), logs));
}

AgentSide::AgentSide(boost::asio::io_context& io, const ServerConfig& config,
                     wire::KeyPair authority, std::unique_ptr<ports::WorkerRegistry> registry,
                     agents::LogIntake* logs)
    : io_(io),
      config_(config),
      registry_(std::move(registry)),
      enrolment_(std::move(authority), *registry_),
      gate_(std::make_shared<agents::Gate>(io)),
      service_({.gate = gate_,
                .enrolment = &enrolment_,
                .logs = logs,
                .now = [] { return WallClock(); },
                .draw = [] { return DrawRandom(); }}) {}

hub::AgentHub& AgentSide::OpenHub(loop::EngineLoop& engine) {
  hub::HubParts parts;
  parts.take = [&engine](model::Input input, loop::Reply reply) {
    engine.PostReport(std::move(input), std::move(reply));
  };
  parts.touch = [&engine](model::WorkerId worker, model::SessionId session) {
    engine.Touch(worker, session);
  };
  parts.stream_ended = [&engine](model::WorkerId worker, model::SessionId session) {
    engine.StreamEnded(worker, session);
  };
  parts.soon = [this](std::function<void()> work) { boost::asio::post(io_, std::move(work)); };
  hub::HubOptions options;
  options.order_life = engine.epoch().value();
  hub_ = std::make_unique<hub::AgentHub>(std::move(parts), options);
  hub_->Adopt(engine.RecoveredWorkers());
  engine.AddObserver(hub_.get());
  gate_->Open(*hub_);
  return *hub_;
}

void AgentSide::CloseGate(const std::string& owner) {
  gate_->Close(owner);
}

void AgentSide::DropHub() {
  hub_.reset();
}

void AgentSide::OwnerSeen(const std::string& owner) {
  if (hub_ == nullptr) {
    gate_->Close(owner);
  }
}

std::vector<pb::WorkerSummary> AgentSide::Workers() const {
  std::vector<pb::WorkerSummary> out;
  for (const hub::ConnectedWorker& worker :
       hub_ == nullptr ? std::vector<hub::ConnectedWorker>() : hub_->Workers()) {
    pb::WorkerSummary& summary = out.emplace_back();
    summary.set_worker_id(worker.worker.value());
    summary.set_pool(worker.pool);
    summary.set_version(worker.version);
    summary.set_slots(worker.slots);
    summary.set_draining(worker.draining);
    summary.set_presence(worker.connected ? pb::WorkerSummary::CONNECTED
                                          : pb::WorkerSummary::SUSPECTED);
  }
  return out;
}

std::vector<pb::PoolSummary> PoolSummaries(const ServerConfig& config,
                                           const std::vector<pb::WorkerSummary>& workers) {
  std::vector<pb::PoolSummary> out;
  for (const PoolConfig& pool : config.pools) {
    pb::PoolSummary& summary = out.emplace_back();
    summary.set_pool(pool.name);
    summary.set_workers_min(pool.workers_min);
    summary.set_workers_max(pool.workers_max);
    for (const pb::WorkerSummary& worker : workers) {
      if (worker.pool() == pool.name) {
        summary.set_workers(summary.workers() + 1);
        summary.set_slots(summary.slots() + worker.slots());
        summary.set_attempts(summary.attempts() + worker.attempts());
      }
    }
  }
  return out;
}

base::Status AgentSide::Drain(model::WorkerId worker, bool stop_attempts) {
  const std::vector<hub::ConnectedWorker> known =
      hub_ == nullptr ? std::vector<hub::ConnectedWorker>() : hub_->Workers();
  if (std::ranges::find(known, worker, &hub::ConnectedWorker::worker) == known.end()) {
    return base::NotFound("there is no such worker");
  }
  hub_->Drain(worker, stop_attempts);
  return base::OkStatus();
}

base::StatusOr<api::services::WorkersParts::Token> AgentSide::MakeToken(const std::string& pool) {
  if (config_.listen.empty()) {
    return base::FailedPrecondition(
        "this server does not listen for agents: `listen` in server.yml says where");
  }
  if (std::ranges::find(config_.pools, pool, &PoolConfig::name) == config_.pools.end()) {
    return base::NotFound("there is no pool '{}' in server.yml", pool);
  }
  const base::Instant now = WallClock();
  ASSIGN_OR_RETURN(std::string token, enrolment_.MakeToken(pool, /*launch=*/"", now));
  return api::services::WorkersParts::Token{.text = std::move(token),
                                            .expires_at = now + wire::kJoinTokenLife};
}

}  // namespace apps::network
