// SPDX-License-Identifier: Apache-2.0
#include "apps/network/pool_side.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include <boost/asio/post.hpp>

#include "apps/network/log_salvage.h"
#include "engine/base/log.h"
#include "engine/base/overloaded.h"
#include "engine/placement/fit.h"
#include "executors/providers/process_provider.h"
#include "executors/sandboxes/machine.h"

namespace apps::network {

namespace asio = boost::asio;
namespace base = engine::base;
namespace loop = engine::loop;
namespace model = engine::model;
namespace placement = engine::placement;
namespace ports = engine::ports;

namespace {

constexpr std::size_t kRegistryWaitingMax = 10'000;
/// Between two looks at the load: what a burst of facts changes is seen at once.
constexpr auto kLookPause = std::chrono::milliseconds(50);

placement::PoolSpec SpecOf(const PoolConfig& config) {
  placement::PoolSpec spec;
  spec.min = config.workers_min;
  spec.max = config.workers_max;
  spec.slots = config.slots;
  spec.idle_after = config.idle_after;
  spec.return_within = config.return_within;
  return spec;
}

bool ChangesLoad(const model::Fact& fact) {
  return std::visit(base::Overloaded{[](const model::JobReadied&) { return true; },
                                     [](const model::JobEnded&) { return true; },
                                     [](const model::AttemptAssigned&) { return true; },
                                     [](const model::AttemptEnded&) { return true; },
                                     [](const model::WorkerJoined&) { return true; },
                                     [](const model::WorkerLost&) { return true; },
                                     [](const model::WorkerMarkedDraining&) { return true; },
                                     [](const auto&) { return false; }},
                    fact.body);
}

std::string_view VerbOf(placement::PoolOrder order) {
  switch (order) {
    case placement::PoolOrder::kLaunch:
      return "starts a worker";
    case placement::PoolOrder::kDrain:
      return "sends a worker home";
    case placement::PoolOrder::kTerminate:
      return "ends a worker";
  }
  return "";
}

}  // namespace

// ---- the providers

base::StatusOr<std::unique_ptr<PoolSide>> PoolSide::Open(asio::io_context& io,
                                                         const ServerConfig& config,
                                                         ports::Clock& clock, AgentSide& agents,
                                                         LogGate& logs) {
  std::unique_ptr<PoolSide> side(new PoolSide(io, config, clock, agents, logs));
  for (const PoolConfig& pool : config.pools) {
    if (pool.workers_max > 0) {
      RETURN_IF_ERROR(side->OpenProvider(pool));
    }
  }
  return side;
}

PoolSide::PoolSide(asio::io_context& io, const ServerConfig& config, ports::Clock& clock,
                   AgentSide& agents, LogGate& logs)
    : io_(io),
      config_(config),
      clock_(clock),
      agents_(agents),
      logs_(logs),
      look_timer_(io),
      registry_("dayfly-pools", kRegistryWaitingMax) {}

PoolSide::~PoolSide() {
  End();
}

// A folder and a provider each: launches are told apart by where they lie.
base::Status PoolSide::OpenProvider(const PoolConfig& config) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::absolute(config_.workers, error);
  if (error) {
    return base::FromErrno(error.value(), config_.workers);
  }
  executors::providers::ProcessProviderOptions options;
  options.folder = (folder / config.name).lexically_normal().string();
  options.salvage = [this](const std::string& agent, const std::stop_token& stop) {
    return SalvageLogs({.folder = agent, .gate = &logs_}, stop);
  };
  Pool& pool = pools_[config.name];
  pool.config = config;
  pool.timer = std::make_unique<asio::steady_timer>(io_);
  ASSIGN_OR_RETURN(pool.provider,
                   executors::providers::ProcessProvider::Open(io_, std::move(options)));
  pool.offer = executors::sandboxes::OfferOfMachine(folder.string(), config.labels);
  return base::OkStatus();
}

// ---- the drivers

template <typename Handler>
auto PoolSide::WhileBegun(Handler handler) {
  return [begun = std::weak_ptr(begun_), handler = std::move(handler)](auto&&... arguments) {
    if (!begun.expired()) {
      handler(std::forward<decltype(arguments)>(arguments)...);
    }
  };
}

base::Status PoolSide::Begin(loop::EngineLoop& engine, const std::string& server) {
  if (pools_.empty()) {
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(const auto workers, agents_.registry().Workers());
  engine_ = &engine;
  begun_ = std::make_shared<char>();
  engine.AddObserver(this);
  for (auto& [name, pool] : pools_) {
    std::map<ports::LaunchId, model::WorkerId> known;
    for (const ports::RegisteredWorker& worker : workers) {
      if (worker.pool == name && !worker.launch.empty()) {
        known[worker.launch] = worker.worker;
      }
    }
    pool.driver = std::make_unique<loop::PoolDriver>(PartsOf(pool, server));
    pool.driver->Start(known);
  }
  LookSoon();
  return base::OkStatus();
}

void PoolSide::End() {
  begun_.reset();
  look_timer_.cancel();
  look_is_due_ = false;
  for (auto& [name, pool] : pools_) {
    pool.timer->cancel();
    pool.driver.reset();
  }
  if (engine_ != nullptr) {
    engine_->RemoveObserver(this);
    engine_ = nullptr;
  }
}

loop::PoolDriverParts PoolSide::PartsOf(Pool& pool, const std::string& server) {
  loop::PoolDriverParts parts;
  parts.pool = pool.config.name;
  parts.spec = SpecOf(pool.config);
  parts.labels = pool.config.labels;
  parts.epoch = engine_->epoch();
  parts.servers = {server};
  for (const std::string& other : config_.servers) {
    if (other != server) {
      parts.servers.push_back(other);
    }
  }
  parts.provider = pool.provider.get();
  parts.clock = &clock_;
  parts.load = [&pool] { return pool.load; };
  parts.make_token = [this](const ports::LaunchId& launch, const std::string& name,
                            std::function<void(base::StatusOr<std::string>)> done) {
    MakeToken(launch, name, done);
  };
  parts.drain = [this](model::WorkerId worker, const std::string& reason) {
    engine_->PostReport(
        model::DrainRequested{
            .worker = worker, .session = {}, .stop_attempts = false, .by = "its pool: " + reason},
        {});
  };
  parts.gone = [this](model::WorkerId worker, const std::string& cause,
                      const std::function<void()>& noted) { Gone(worker, cause, noted); };
  parts.arm = [this, &pool](base::Instant at) { Arm(pool, at); };
  parts.note = [name = pool.config.name](const placement::PoolAction& action) {
    spdlog::info("pool {} {}: {}", name, VerbOf(action.order), action.reason);
  };
  return parts;
}

void PoolSide::MakeToken(const std::string& launch, const std::string& pool,
                         const std::function<void(base::StatusOr<std::string>)>& done) {
  const auto answer = WhileBegun(done);
  const base::Status taken = registry_.Do([this, launch, pool, answer] {
    asio::post(io_, [answer, token = agents_.MakeLaunchToken(pool, launch)] { answer(token); });
  });
  if (!taken.ok()) {
    asio::post(io_, [answer, taken] { answer(base::StatusOr<std::string>(taken)); });
  }
}

void PoolSide::Arm(Pool& pool, base::Instant at) {
  const base::Duration wait = std::max(base::Duration(0), at - clock_.Now());
  pool.timer->expires_after(wait);
  pool.timer->async_wait(WhileBegun([&pool](const boost::system::error_code& error) {
    if (!error) {
      pool.driver->OnWakeUp();
    }
  }));
}

// ---- what goes on

void PoolSide::OnDurable(std::uint64_t /*first_seq*/, std::span<const model::Fact> facts) {
  for (const model::Fact& fact : facts) {
    if (const auto* joined = std::get_if<model::WorkerJoined>(&fact.body)) {
      if (pools_.find(joined->pool) != pools_.end()) {
        LookUp(joined->worker);
      }
    }
  }
  if (std::ranges::any_of(facts, ChangesLoad)) {
    LookSoon();
  }
}

// Which launch the worker came from stands in the registry.
void PoolSide::LookUp(model::WorkerId worker) {
  const auto tell = WhileBegun([this](const ports::RegisteredWorker& registered) {
    const auto pool = pools_.find(registered.pool);
    if (pool != pools_.end() && !registered.launch.empty()) {
      pool->second.driver->Joined(registered.launch, registered.worker);
    }
  });
  registry_
      .Do([this, worker, tell] {
        if (const auto registered = agents_.registry().Find(worker); registered.ok()) {
          asio::post(io_, [tell, found = *registered] { tell(found); });
        }
      })
      .IgnoreError();
}

// What it ran goes to others at once; whoever has its key gets nowhere with it.
void PoolSide::Gone(model::WorkerId worker, const std::string& cause,
                    const std::function<void()>& noted) {
  const auto answer = WhileBegun(noted);
  const auto retire = WhileBegun([this, worker, answer](const loop::Answer&) {
    registry_
        .Do([this, worker, answer] {
          if (agents_.registry().Retire(worker).ok()) {
            asio::post(io_, answer);
          }
        })
        .IgnoreError();
  });
  engine_->PostReport(model::WorkerGone{.worker = worker, .session = {}, .cause = cause}, retire);
}

void PoolSide::Ask(model::WorkerId worker, model::SessionId session) {
  for (const auto& [name, pool] : pools_) {
    const auto why = pool.driver == nullptr ? std::nullopt : pool.driver->WhyGone(worker);
    if (why.has_value()) {
      engine_->PostReport(model::WorkerGone{.worker = worker, .session = session, .cause = *why},
                          {});
    }
  }
}

void PoolSide::LookSoon() {
  if (pools_.empty() || begun_ == nullptr || std::exchange(look_is_due_, true)) {
    return;
  }
  look_timer_.expires_after(kLookPause);
  look_timer_.async_wait(WhileBegun([this](const boost::system::error_code& error) {
    if (!error) {
      Look();
    }
  }));
}

void PoolSide::Look() {
  engine_->Read(WhileBegun([this](const engine::core::EngineCore& core, base::Instant) {
    look_is_due_ = false;
    for (auto& [name, pool] : pools_) {
      pool.load = loop::LoadOf(core, name, pool.offer);
      pool.driver->OnWakeUp();
    }
  }));
}

// ---- people

base::StatusOr<std::uint32_t> PoolSide::Scale(const std::string& name, std::uint32_t workers) {
  const auto pool = pools_.find(name);
  if (pool == pools_.end()) {
    const bool known =
        std::ranges::find(config_.pools, name, &PoolConfig::name) != config_.pools.end();
    return known
               ? base::StatusOr<std::uint32_t>(base::FailedPrecondition(
                     "workers of pool {} come by themselves: give it a `max` in server.yml", name))
               : base::NotFound("there is no pool '{}' in server.yml", name);
  }
  const PoolConfig& config = pool->second.config;
  if (workers < config.workers_min || workers > config.workers_max) {
    return base::InvalidArgument("workers: pool {} has {} to {} of them, by server.yml", name,
                                 config.workers_min, config.workers_max);
  }
  if (pool->second.driver == nullptr) {
    return base::Unavailable("this server does not own the runs any more");
  }
  placement::PoolSpec spec = pool->second.driver->spec();
  const std::uint32_t before = std::exchange(spec.min, workers);
  pool->second.driver->SetSpec(spec);
  return before;
}

void PoolSide::Describe(dayfly::v1::PoolSummary& summary) const {
  const auto pool = pools_.find(summary.pool());
  if (pool != pools_.end() && pool->second.driver != nullptr) {
    summary.set_workers_wanted(pool->second.driver->spec().min);
    summary.set_workers_coming(pool->second.driver->coming());
    const std::string outlook = Outlook(summary.pool());
    summary.set_outlook(outlook.empty() ? pool->second.driver->plan().passed_over : outlook);
  }
}

std::string PoolSide::OutlookFor(std::string_view name, const model::PlaceNeed& need) const {
  const auto pool = pools_.find(name);
  if (pool == pools_.end() || placement::Fits(need, pool->second.offer)) {
    return Outlook(name);
  }
  return fmt::format("none is started for it: those that are do not offer {}",
                     fmt::join(placement::MissingFrom(need, pool->second.offer), ", "));
}

std::string PoolSide::Outlook(std::string_view name) const {
  const auto pool = pools_.find(name);
  if (pool == pools_.end() || pool->second.driver == nullptr) {
    return "";
  }
  const loop::PoolDriver& driver = *pool->second.driver;
  if (const std::uint32_t coming = driver.coming(); coming > 0) {
    return fmt::format("{} {} being started", coming, coming == 1 ? "worker is" : "workers are");
  }
  if (!driver.plan().held_back.empty()) {
    return driver.plan().held_back;
  }
  if (!driver.plan().awaited.empty()) {
    return driver.plan().awaited;
  }
  return pool->second.load.waiting > 0 && driver.plan().desired >= driver.spec().max
             ? fmt::format("it may have {} workers at most", driver.spec().max)
             : "";
}

}  // namespace apps::network
