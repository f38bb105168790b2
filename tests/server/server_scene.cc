// SPDX-License-Identifier: Apache-2.0
#include "tests/server/server_scene.h"

#include <algorithm>
#include <future>
#include <utility>

#include <boost/asio/post.hpp>

#include "engine/base/check.h"

namespace tests::server {

namespace asio = boost::asio;
namespace loop = engine::loop;

void TestAgents::Join(loop::EngineLoop& engine) {
  sink_ = engine.Sink();
  model::WorkerConnected worker;
  worker.worker = model::WorkerId(1);
  worker.session = model::SessionId(1);
  worker.pool = "default";
  worker.slots = 64;
  sink_(worker);
}

void TestAgents::Dispatch(const model::Assignment& assignment) {
  const std::lock_guard lock(mutex_);
  const auto is_known = [&](const model::Assignment& each) {
    return each.lease == assignment.lease;
  };
  if (std::ranges::none_of(begun_, is_known)) {
    ++dispatched_;
    Begin(assignment);
  }
}

// With `mutex_` held, as `End`.
void TestAgents::Begin(const model::Assignment& assignment) {
  sink_(model::AttemptReported{.lease = assignment.lease,
                               .reports = {model::ReportStarted{.slot = 0},
                                           model::ReportStepStarted{.step = model::StepIndex(0)}}});
  if (eager_) {
    End(assignment, model::Status::kSucceeded);
  } else {
    begun_.push_back(assignment);
  }
}

void TestAgents::End(const model::Assignment& assignment, model::Status status) {
  model::ReportStepEnded step;
  step.status = status;
  model::ReportEnded end;
  end.status = status;
  sink_(model::AttemptReported{.lease = assignment.lease, .reports = {step, end}});
}

void TestAgents::Finish() {
  const std::lock_guard lock(mutex_);
  eager_ = true;
  for (const model::Assignment& assignment : std::exchange(begun_, {})) {
    End(assignment, model::Status::kSucceeded);
  }
}

void TestAgents::Stop(const model::StopAttempt& stop) {
  const std::lock_guard lock(mutex_);
  model::ReportEnded end;
  end.status = model::Status::kCancelled;
  sink_(model::AttemptReported{.lease = stop.lease, .reports = {end}});
  std::erase_if(begun_, [&](const model::Assignment& each) { return each.lease == stop.lease; });
}

std::size_t TestAgents::dispatched() const {
  const std::lock_guard lock(mutex_);
  return dispatched_;
}

ServerScene::ServerScene(bool eager, const std::string& certificates)
    : agents_(std::make_unique<TestAgents>(eager)) {
  config_.certificates = certificates;
  config_.listen = certificates.empty() ? "" : "127.0.0.1:0";
  config_.store_file = folder_.File("runs.db");
  config_.socket = folder_.File("api.sock");
  Start();
}

ServerScene::~ServerScene() {
  StopAll();
}

void ServerScene::Start() {
  io_ = std::make_unique<asio::io_context>(1);
  seat_ = std::make_unique<api::services::Seat>(
      [io = io_.get()](std::function<void()> work) { asio::post(*io, std::move(work)); });
  apps::network::OwnedShardOptions options;
  options.config = &config_;
  options.clock = &clock_;
  auto shard = apps::network::OwnedShard::Open(*io_, *seat_, std::move(options));
  CHECK(shard.ok());
  shard_ = *std::move(shard);
  shard_->Start(*agents_);
  agents_->Join(shard_->loop());
  auto api = apps::network::ApiServer::Start(config_, *seat_, {});
  CHECK(api.ok());
  api_ = *std::move(api);
  api_->SetServing(true);
  thread_ = std::thread([this] {
    const auto work = asio::make_work_guard(*io_);
    io_->run();
  });
}

// Calls are cut off while the engine still answers; then it is gone at whatever point it is.
void ServerScene::StopAll() {
  api_.reset();
  io_->stop();
  thread_.join();
  shard_.reset();
  seat_.reset();
  io_.reset();
}

void ServerScene::Restart() {
  StopAll();
  Start();
}

void ServerScene::StandBy(const std::string& owner) {
  OnEngine([this, owner] {
    shard_.reset();
    seat_->OwnerSeen(owner);
  });
}

void ServerScene::OnEngine(const std::function<void()>& work) {
  std::promise<void> done;
  asio::post(*io_, [&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

api::client::Connection ServerScene::Connect() const {
  api::client::Target target;
  target.servers = {"unix:" + config_.socket};
  return api::client::Connection(std::move(target));
}

api::wire::Submission ServerScene::Submission(const std::string& key) {
  api::wire::Submission submission;
  submission.request_key = key;
  submission.pipeline_file = "ci.yml";
  submission.pipeline_text =
      "jobs:\n  one:\n    checkout: false\n    steps:\n      - run: 'true'\n";
  submission.event = "manual";
  return submission;
}

}  // namespace tests::server
