// SPDX-License-Identifier: Apache-2.0
#include "apps/network/agent_side.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "api/wire/key_files.h"
#include "apps/network/server_stores.h"
#include "apps/state_dir.h"
#include "apps/terminal.h"
#include "engine/core/state.h"

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
                                                           agents::LogIntake* logs,
                                                           agents::SecretDesk* secrets) {
  auto authority = wire::LoadKeyPair(config.certificates, "ca");
  if (!authority.ok()) {
    return base::FailedPrecondition("{}; dayfly server init makes certificates",
                                    base::Message(authority.status()));
  }
  ASSIGN_OR_RETURN(auto registry, OpenWorkerRegistry(config));
  return std::unique_ptr<AgentSide>(
      new AgentSide(io, config, *std::move(authority), std::move(registry), logs, secrets));
}

AgentSide::AgentSide(boost::asio::io_context& io, const ServerConfig& config,
                     wire::KeyPair authority, std::unique_ptr<ports::WorkerRegistry> registry,
                     agents::LogIntake* logs, agents::SecretDesk* secrets)
    : io_(io),
      config_(config),
      registry_(std::move(registry)),
      enrolment_(std::move(authority), *registry_),
      gate_(std::make_shared<agents::Gate>(io)),
      service_({.gate = gate_,
                .enrolment = &enrolment_,
                .logs = logs,
                .secrets = secrets,
                .now = [] { return WallClock(); },
                .draw = [] { return DrawRandom(); }}) {}

hub::AgentHub& AgentSide::OpenHub(loop::EngineLoop& engine, ports::WorkerWatch* watch) {
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
  parts.watch = watch;
  parts.closed_of = [&engine](std::vector<model::RunId> runs, const hub::HubParts::Closed& then) {
    engine.Read([runs = std::move(runs), then](const engine::core::EngineCore& core,
                                               base::Instant) {
      std::vector<model::RunId> closed = runs;
      std::erase_if(closed, [&core](model::RunId run) { return core.state().runs.contains(run); });
      then(closed);
    });
  };
  hub::HubOptions options;
  options.order_life = engine.epoch().value();
  hub_ = std::make_unique<hub::AgentHub>(std::move(parts), options);
  hub_->Adopt(engine.RecoveredWorkers());
  engine.AddObserver(hub_.get());
  engine_ = &engine;
  gate_->Open(*hub_);
  return *hub_;
}

void AgentSide::CloseGate(const std::string& owner) {
  gate_->Close(owner);
}

void AgentSide::DropHub() {
  engine_ = nullptr;
  hub_.reset();
}

void AgentSide::OwnerSeen(const std::string& owner) {
  if (hub_ == nullptr) {
    gate_->Close(owner);
  }
}

namespace {

pb::WorkerSummary::Presence PresenceOf(const hub::ConnectedWorker& worker,
                                       const engine::core::WorkerState* known) {
  if (worker.connected) {
    return pb::WorkerSummary::CONNECTED;
  }
  return known != nullptr && known->phase == engine::core::WorkerPhase::kSuspected
             ? pb::WorkerSummary::SUSPECTED
             : pb::WorkerSummary::UNCONFIRMED;
}

}  // namespace

std::vector<pb::WorkerSummary> AgentSide::Workers(const engine::core::EngineCore& core) const {
  std::vector<pb::WorkerSummary> out;
  for (const hub::ConnectedWorker& worker :
       hub_ == nullptr ? std::vector<hub::ConnectedWorker>() : hub_->Workers()) {
    const auto found = core.state().workers.find(worker.worker);
    const auto* known = found == core.state().workers.end() ? nullptr : found->second.get();
    pb::WorkerSummary& summary = out.emplace_back();
    summary.set_worker_id(worker.worker.value());
    // What is known from before this server took over was not said to it.
    summary.set_pool(known == nullptr ? worker.pool : known->joined.pool);
    summary.set_slots(known == nullptr ? worker.slots : known->joined.slots);
    summary.set_host(worker.host);
    summary.set_version(worker.version);
    summary.set_attempts(known == nullptr ? 0 : static_cast<std::uint32_t>(known->attempts.size()));
    summary.set_draining(worker.draining || (known != nullptr && known->draining.has_value()));
    summary.set_presence(PresenceOf(worker, known));
    if (known != nullptr) {
      for (const model::Label& label : known->joined.offer.labels) {
        summary.add_labels(ToText(label));
      }
    }
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

void AgentSide::Drain(model::WorkerId worker, bool stop_attempts, std::string by,
                      std::function<void(base::Status)> done) {
  if (engine_ == nullptr) {
    return done(base::Unavailable("this server does not own the runs any more"));
  }
  // A worker that is being drained already is what was asked for.
  const base::Status posted = engine_->Post(
      model::DrainRequested{
          .worker = worker, .session = {}, .stop_attempts = stop_attempts, .by = std::move(by)},
      [done](const loop::Answer& answer) {
        const bool unknown = !answer.refused.empty() &&
                             answer.refused.front().code == model::RefusalCode::kUnknownWorker;
        done(unknown ? base::NotFound("there is no such worker") : answer.status);
      });
  if (!posted.ok()) {
    done(posted);
  }
}

base::StatusOr<std::string> AgentSide::MakeLaunchToken(const std::string& pool,
                                                       const std::string& launch) {
  return enrolment_.MakeToken(pool, launch, WallClock());
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
