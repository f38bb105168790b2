// SPDX-License-Identifier: Apache-2.0
#include "apps/network/owned_shard.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>

#include "apps/network/server_stores.h"
#include "apps/state_dir.h"
#include "store/codec/plan_codec.h"

namespace apps::network {

namespace base = engine::base;
namespace loop = engine::loop;
namespace model = engine::model;
namespace services = api::services;

namespace {

// Thousands of submissions a second would draw the same id now and then: each is above the last.
std::function<model::RunId()> RisingRunIds() {
  auto last = std::make_shared<std::atomic<std::uint64_t>>(0);
  return [last] {
    const std::uint64_t drawn = DrawRunId().value();
    std::uint64_t before = last->load();
    while (!last->compare_exchange_weak(before, std::max(drawn, before + 1))) {
    }
    return model::RunId(std::max(drawn, before + 1));
  };
}

}  // namespace

OwnedShard::OwnedShard(boost::asio::io_context& io, services::Seat& seat, OwnedShardOptions options)
    : io_(io), seat_(seat), options_(std::move(options)) {}

// Nobody may be called back by something that is gone: first the calls, then those who answer them.
OwnedShard::~OwnedShard() {
  if (seated_) {
    seat_.Leave();
  }
  // The archive's thread may be at work for the intake.
  archive_.reset();
  intake_.reset();
  feeds_.reset();
  loop_.reset();
}

base::StatusOr<std::unique_ptr<OwnedShard>> OwnedShard::Open(boost::asio::io_context& io,
                                                             services::Seat& seat,
                                                             OwnedShardOptions options) {
  std::unique_ptr<OwnedShard> shard(new OwnedShard(io, seat, std::move(options)));
  RETURN_IF_ERROR(shard->OpenStores());
  RETURN_IF_ERROR(shard->Recover());
  return shard;
}

base::Status OwnedShard::OpenStores() {
  ASSIGN_OR_RETURN(store_, OpenRunStore(*options_.config, options_.leased));
  ASSIGN_OR_RETURN(auto history, OpenRunHistory(*options_.config));
  ASSIGN_OR_RETURN(auto reader, OpenReadingStore(*options_.config));
  archive_ = std::make_unique<services::Archive>(std::move(history), std::move(reader));
  return base::OkStatus();
}

base::Status OwnedShard::Recover() {
  services::RunFeedsOptions feeds;
  feeds.on_ended = [this](model::RunId run) { loop_->Sink()(model::CloseRun{.run = run}); };
  feeds_ = std::make_unique<services::RunFeeds>(std::move(feeds));
  loop::LoopOptions options;
  options.sequencer.liveness.emplace();
  // A database that restarts, or a disk that is full for a night, is waited for.
  options.sequencer.failures_max = std::numeric_limits<int>::max();
  options.sequencer.pause_max = std::chrono::milliseconds(500);
  options.on_trouble = options_.on_trouble;
  options.on_fatal = options_.on_fatal;
  loop_ = std::make_unique<loop::EngineLoop>(io_, *store_, *options_.clock, std::move(options));
  RETURN_IF_ERROR(loop_->Recover());
  ASSIGN_OR_RETURN(auto open, services::ReadOpenFeeds(*store_, loop_->RecoveredRuns()));
  for (std::shared_ptr<services::RunFeed>& feed : open) {
    if (model::IsFinal(feed->status())) {
      ended_.push_back(feed->run());
    }
    feeds_->Put(std::move(feed));
  }
  loop_->AddObserver(feeds_.get());
  services::IntakeOptions intake;
  intake.digest_of = [](const model::Plan& plan) { return store::codec::DigestOf(plan); };
  intake.draw_run = RisingRunIds();
  intake.draw_seed = [] { return DrawRandom(); };
  intake.check_tree = options_.check_tree;
  for (const PoolConfig& pool : options_.config->pools) {
    intake.pools.push_back(pool.name);
  }
  intake_ = std::make_unique<services::Intake>(seat_, std::move(intake));
  return base::OkStatus();
}

void OwnedShard::Start(engine::ports::AgentLink& link) {
  loop_->Start(link);
  // Runs whose end was durable when the owner before us died, and which nobody has closed.
  for (const model::RunId run : ended_) {
    loop_->Sink()(model::CloseRun{.run = run});
  }
  seat_.Take({.loop = loop_.get(),
              .feeds = feeds_.get(),
              .archive = archive_.get(),
              .intake = intake_.get(),
              .pool_outlook = options_.pool_outlook,
              .read_tests = options_.read_tests});
  seated_ = true;
}

}  // namespace apps::network
