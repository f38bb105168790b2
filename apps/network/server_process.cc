// SPDX-License-Identifier: Apache-2.0
#include "apps/network/server_process.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "apps/network/server_stores.h"
#include "apps/standard_streams.h"
#include "apps/state_dir.h"
#include "engine/base/log.h"

namespace apps::network {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;
namespace loop = engine::loop;
namespace model = engine::model;
namespace ports = engine::ports;
namespace services = api::services;

constexpr auto kLookEvery = std::chrono::milliseconds(200);
constexpr auto kRetryEvery = std::chrono::milliseconds(200);

/// Nobody is connected: what is outstanding stays outstanding.
class NoAgents final : public ports::AgentLink {
 public:
  void Dispatch(const model::Assignment&) override {}
  void Stop(const model::StopAttempt&) override {}
};

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string OwnName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "server";
}

base::Status NobodyCanJoin() {
  return base::FailedPrecondition(
      "no agent can join this server: `listen` in server.yml says where");
}

void Say(std::string_view text) {
  fmt::print(stderr, "dayfly server: {}\n", text);
}

}  // namespace

ServerProcess::ServerProcess(ServerConfig config)
    : config_(std::move(config)),
      io_(1),
      seat_([this](std::function<void()> work) { asio::post(io_, std::move(work)); }),
      no_agents_(std::make_unique<NoAgents>()),
      bulk_(io_, seat_, config_),
      signals_(io_),
      look_timer_(io_),
      retry_timer_(io_) {}

// Calls first, so that nobody comes any more; then those who would answer them.
ServerProcess::~ServerProcess() {
  CutOffCalls();
  EndShard();
  keeper_.reset();
  if (lock_ >= 0) {
    close(lock_);
  }
}

base::Status ServerProcess::Run(bool print_ready) {
  const auto work = asio::make_work_guard(io_);
  RETURN_IF_ERROR(Prepare());
  RETURN_IF_ERROR(bulk_.OpenStore());
  RETURN_IF_ERROR(OpenAgentSide());
  RETURN_IF_ERROR(OpenRunSweep());
  WaitForSignal();
  workers_ = std::make_unique<services::WorkersService>(seat_, WorkersOf());
  std::vector<grpc::Service*> services = {workers_.get(), bulk_.logs_service(),
                                          bulk_.chunk_service()};
  if (agents_ != nullptr) {
    services.push_back(agents_->service());
  }
  ASSIGN_OR_RETURN(api_, ApiServer::Start(config_, seat_, std::move(services)));
  RETURN_IF_ERROR(config_.store_file.empty() ? StandBy() : OwnShard(std::nullopt));
  if (print_ready) {
    Print(fmt::format("ready unix:{} {}\n", config_.socket, api_->address()));
    FlushOutput(0);
  }
  io_.run();
  return ended_;
}

base::Status ServerProcess::OpenRunSweep() {
  if (config_.keep_days == 0) {
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(auto retention, OpenRunRetention(config_));
  RunSweepOptions options;
  options.keep = std::chrono::hours(24) * config_.keep_days;
  options.archives = config_.logs + "/runs";
  run_sweep_ = std::make_unique<RunSweep>(io_, seat_, std::move(retention), std::move(options));
  return base::OkStatus();
}

// Without TLS nobody could reach the agents' methods.
base::Status ServerProcess::OpenAgentSide() {
  if (config_.listen.empty()) {
    return base::OkStatus();
  }
  secrets_ = std::make_unique<WorkerSecrets>(config_, seat_);
  ASSIGN_OR_RETURN(agents_, AgentSide::Open(io_, config_, bulk_.log_intake(), secrets_.get()));
  ASSIGN_OR_RETURN(pools_, PoolSide::Open(io_, config_, clock_, *agents_, *bulk_.log_intake()));
  return base::OkStatus();
}

services::WorkersParts ServerProcess::WorkersOf() {
  services::WorkersParts parts;
  parts.workers = [this](const engine::core::EngineCore& core) {
    return agents_ == nullptr ? std::vector<dayfly::v1::WorkerSummary>() : agents_->Workers(core);
  };
  parts.pools = [this, workers = parts.workers](const engine::core::EngineCore& core) {
    std::vector<dayfly::v1::PoolSummary> pools = PoolSummaries(config_, workers(core));
    for (dayfly::v1::PoolSummary& pool : pools) {
      pools_ == nullptr ? void() : pools_->Describe(pool);
    }
    return pools;
  };
  parts.drain = [this](model::WorkerId worker, bool stop_attempts, std::string by,
                       std::function<void(base::Status)> done) {
    agents_ == nullptr ? done(base::NotFound("there is no such worker"))
                       : agents_->Drain(worker, stop_attempts, std::move(by), std::move(done));
  };
  parts.scale = [this](const std::string& pool, std::uint32_t workers) {
    return pools_ == nullptr ? base::StatusOr<std::uint32_t>(NobodyCanJoin())
                             : pools_->Scale(pool, workers);
  };
  parts.make_token = [this](const std::string& pool) {
    return agents_ == nullptr ? base::StatusOr<services::WorkersParts::Token>(NobodyCanJoin())
                              : agents_->MakeToken(pool);
  };
  return parts;
}

base::Status ServerProcess::Prepare() {
  for (const std::string& folder : {FolderOf(config_.socket), config_.logs, config_.artifacts}) {
    RETURN_IF_ERROR(MakeFolders(folder));
  }
  return config_.store_file.empty() ? base::OkStatus() : LockStore();
}

base::Status ServerProcess::LockStore() {
  RETURN_IF_ERROR(MakeFolders(FolderOf(config_.store_file)));
  const std::string path = config_.store_file + ".lock";
  lock_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) {
    return base::FromErrno(errno, path);
  }
  return flock(lock_, LOCK_EX | LOCK_NB) == 0
             ? base::OkStatus()
             : base::FailedPrecondition("another server has {} open", config_.store_file);
}

base::Status ServerProcess::OwnShard(std::optional<model::Epoch> leased) {
  OwnedShardOptions options;
  options.config = &config_;
  options.clock = &clock_;
  options.leased = leased;
  options.on_trouble = [](const base::Status& status) {
    Say(fmt::format("the store has trouble, trying again: {}", base::Message(status)));
  };
  options.on_fatal = [this, leased](const base::Status& status) {
    if (leased && status.code() == absl::StatusCode::kAborted) {
      // Another owner's commit came first. The keeper will say so, too; if not, we begin anew.
      asio::post(io_, [this, leased] {
        LoseShard();
        TakeShardSoon(*leased);
      });
    } else {
      GiveUp(status);
    }
  };
  options.pool_outlook = [this](std::string_view pool, const model::PlaceNeed& need) {
    return pools_ == nullptr ? std::string() : pools_->OutlookFor(pool, need);
  };
  options.read_tests = [this](const base::Digest& document) {
    return bulk_.ReadDocument(document);
  };
  options.check_tree = [this](const base::Digest& tree) { return bulk_.CheckTree(tree); };
  ASSIGN_OR_RETURN(shard_, OwnedShard::Open(io_, seat_, std::move(options)));
  ports::AgentLink* agents = no_agents_.get();
  if (agents_ != nullptr) {
    agents = &agents_->OpenHub(shard_->loop(), pools_.get());
    if (const base::Status begun = pools_->Begin(shard_->loop(), OwnAddress()); !begun.ok()) {
      EndShard();
      return begun;
    }
  }
  const base::StatusOr<ports::AgentLink*> link = bulk_.Open(shard_->loop(), *agents);
  if (!link.ok()) {
    EndShard();
    return link.status();
  }
  shard_->Start(**link);
  if (run_sweep_ != nullptr) {
    run_sweep_->Begin(shard_->loop());
  }
  api_->SetServing(true);
  return base::OkStatus();
}

// ---- with a database that several servers share

base::Status ServerProcess::StandBy() {
  own_address_ = OwnAddress();
  ASSIGN_OR_RETURN(lease_, OpenShardLease(config_));
  Keep();
  LookForOwner();
  return base::OkStatus();
}

void ServerProcess::Keep() {
  loop::LeaseKeeperOptions options;
  options.me = {.name = OwnName(), .address = own_address_};
  options.told = [this](loop::Standing standing, model::Epoch epoch) {
    asio::post(io_, [this, standing, epoch] { OnStanding(standing, epoch); });
  };
  keeper_ = std::make_unique<loop::LeaseKeeper>(*lease_, std::move(options));
}

void ServerProcess::OnStanding(loop::Standing standing, model::Epoch epoch) {
  if (standing == loop::Standing::kOwner) {
    TakeShard(epoch);
    return;
  }
  retry_timer_.cancel();
  // Doubtful: whoever reads our answers could act on what is not true any more.
  LoseShard();
  if (standing == loop::Standing::kDeposed) {
    keeper_.reset();
    Keep();
  }
}

// The lease is ours, and yet the database may be away just now.
void ServerProcess::TakeShard(model::Epoch epoch) {
  if (shard_ != nullptr) {
    return;
  }
  const base::Status owned = OwnShard(epoch);
  if (owned.ok()) {
    Say(fmt::format("owns the runs (epoch {})", epoch.value()));
    return seat_.OwnerSeen("");
  }
  Say(fmt::format("cannot take the runs: {}", base::Message(owned)));
  if (owned.code() == absl::StatusCode::kUnavailable ||
      owned.code() == absl::StatusCode::kResourceExhausted) {
    TakeShardSoon(epoch);
  } else if (owned.code() != absl::StatusCode::kAborted) {
    // Aborted: another has it already, and the keeper will say so.
    GiveUp(owned);
  }
}

void ServerProcess::TakeShardSoon(model::Epoch epoch) {
  retry_timer_.expires_after(kRetryEvery);
  retry_timer_.async_wait([this, epoch](const boost::system::error_code& error) {
    if (!error) {
      TakeShard(epoch);
    }
  });
}

void ServerProcess::LoseShard() {
  if (shard_ != nullptr) {
    Say("does not own the runs any more");
    api_->SetServing(false);
    EndShard();
  }
}

// The engine speaks to agents through the hub until it has ended.
void ServerProcess::EndShard() {
  if (run_sweep_ != nullptr) {
    run_sweep_->End();
  }
  if (agents_ != nullptr) {
    agents_->CloseGate(OtherOwner());
    pools_ == nullptr ? void() : pools_->End();
  }
  shard_.reset();
  bulk_.Close();
  if (agents_ != nullptr) {
    agents_->DropHub();
  }
}

// Only from memory: what the keeper saw last. After we lost the shard that may still be ourselves,
// who are the last to ask.
std::string ServerProcess::OtherOwner() const {
  if (keeper_ == nullptr) {
    return "";
  }
  const std::string seen = keeper_->SeenOwner().owner.address;
  return seen == own_address_ ? "" : seen;
}

void ServerProcess::LookForOwner() {
  if (shard_ == nullptr) {
    const std::string owner = OtherOwner();
    seat_.OwnerSeen(owner);
    if (agents_ != nullptr) {
      agents_->OwnerSeen(owner);
    }
  }
  look_timer_.expires_after(kLookEvery);
  look_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      LookForOwner();
    }
  });
}

std::string ServerProcess::OwnAddress() const {
  return !config_.address.empty()   ? config_.address
         : !api_->address().empty() ? api_->address()
                                    : "unix:" + config_.socket;
}

void ServerProcess::WaitForSignal() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) {
      Stop();
    }
  });
}

// What was taken becomes durable; what goes on on agents goes on.
void ServerProcess::Stop() {
  api_->SetServing(false);
  if (shard_ == nullptr) {
    return io_.stop();
  }
  shard_->loop().Stop([this](const base::Status& status) {
    ended_ = status;
    // A standby need not wait for the lease to run out.
    if (keeper_ != nullptr) {
      keeper_->GiveUp().IgnoreError();
    }
    io_.stop();
  });
}

// A call that is cut off still has to be answered, on this thread: it goes on until all are.
void ServerProcess::CutOffCalls() {
  std::thread cut([this] {
    api_.reset();
    asio::post(io_, [this] { io_.stop(); });
  });
  const auto work = asio::make_work_guard(io_);
  io_.restart();
  io_.run();
  cut.join();
}

void ServerProcess::GiveUp(const base::Status& status) {
  Say(base::Message(status));
  ended_ = status;
  io_.stop();
}

}  // namespace apps::network
