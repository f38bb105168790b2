// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/engine_loop.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "engine/loop/commit_thread.h"

namespace engine::loop {

/// Posted handlers and sinks hold on to this when the loop is gone; `open` and `gone` tell them.
struct EngineLoop::Shared : public Committer, public std::enable_shared_from_this<Shared> {
  Shared(boost::asio::io_context& context, ports::RunStore& store, ports::Clock& the_clock,
         LoopOptions options)
      : io(context),
        clock(the_clock),
        inbox_max(options.inbox_max),
        timer(std::in_place, context),
        commit_thread(std::make_unique<CommitThread>(context, store)),
        sequencer(SequencerParts{&store, this, &the_clock, [this](base::Instant at) { Arm(at); },
                                 std::move(options.on_trouble), std::move(options.on_fatal)},
                  options.sequencer) {}

  struct Arrival {
    model::Input input;
    Reply reply;
  };

  base::Status Post(model::Input input, Reply reply, bool bounded);
  void Schedule();
  void Drain();
  void TakeArrivals();
  void Arm(base::Instant at);
  void Commit(const ports::CommitBatch& batch, Done done) override;
  void Aside(std::function<void()> work, std::function<void()> done) override;

  boost::asio::io_context& io;
  ports::Clock& clock;
  const std::size_t inbox_max;

  std::mutex mutex;
  std::vector<Arrival> arrivals;
  std::size_t backlog = 0;  ///< queued in the sequencer when last looked
  bool scheduled = false;
  bool open = true;

  // The engine's thread only.
  std::optional<boost::asio::steady_timer> timer;  ///< lives as long as the loop: `io` may end then
  std::unique_ptr<CommitThread> commit_thread;
  Sequencer sequencer;
  bool gone = false;
};

base::Status EngineLoop::Shared::Post(model::Input input, Reply reply, bool bounded) {
  const std::lock_guard lock(mutex);
  if (!open) {
    return base::Cancelled("the engine has stopped");
  }
  if (bounded && arrivals.size() + backlog >= inbox_max) {
    return base::ResourceExhausted("{} inputs wait already; try again later", inbox_max);
  }
  arrivals.push_back({std::move(input), std::move(reply)});
  Schedule();
  return base::OkStatus();
}

// One handler for all that comes until it runs: what arrives together is stepped together.
void EngineLoop::Shared::Schedule() {
  if (!std::exchange(scheduled, true)) {
    boost::asio::post(io, [self = shared_from_this()] { self->Drain(); });
  }
}

void EngineLoop::Shared::Drain() {
  if (gone) {
    return;
  }
  TakeArrivals();
  sequencer.Pump();
  const std::lock_guard lock(mutex);
  backlog = sequencer.queued();
}

void EngineLoop::Shared::TakeArrivals() {
  std::vector<Arrival> taken;
  {
    const std::lock_guard lock(mutex);
    scheduled = false;
    taken.swap(arrivals);
  }
  for (Arrival& arrival : taken) {
    sequencer.Take(std::move(arrival.input), std::move(arrival.reply));
  }
}

void EngineLoop::Shared::Arm(base::Instant at) {
  const base::Duration delay = std::max(at - clock.Now(), base::Duration(0));
  timer->expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(delay));
  timer->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self != nullptr && !self->gone && !error) {
      self->sequencer.OnWakeUp();
    }
  });
}

void EngineLoop::Shared::Commit(const ports::CommitBatch& batch, Done done) {
  commit_thread->Commit(batch,
                        [weak = weak_from_this(), done = std::move(done)](base::Status status) {
                          const auto self = weak.lock();
                          if (self != nullptr && !self->gone) {
                            done(std::move(status));
                          }
                        });
}

void EngineLoop::Shared::Aside(std::function<void()> work, std::function<void()> done) {
  commit_thread->Aside(std::move(work), [weak = weak_from_this(), done = std::move(done)] {
    const auto self = weak.lock();
    if (self != nullptr && !self->gone) {
      done();
    }
  });
}

EngineLoop::EngineLoop(boost::asio::io_context& io, ports::RunStore& store, ports::Clock& clock,
                       LoopOptions options)
    : shared_(std::make_shared<Shared>(io, store, clock, std::move(options))) {}

EngineLoop::~EngineLoop() {
  std::vector<Shared::Arrival> dropped;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->open = false;
    dropped.swap(shared_->arrivals);
  }
  shared_->gone = true;
  shared_->timer.reset();
  shared_->commit_thread.reset();
}

base::Status EngineLoop::Recover() {
  return shared_->sequencer.Recover();
}

void EngineLoop::Start(ports::AgentLink& link) {
  shared_->sequencer.Start(link);
  const std::lock_guard lock(shared_->mutex);
  shared_->Schedule();
}

base::Status EngineLoop::Post(model::Input input, Reply reply) {
  return shared_->Post(std::move(input), std::move(reply), /*bounded=*/true);
}

void EngineLoop::PostReport(model::Input input, Reply reply) {
  shared_->Post(std::move(input), std::move(reply), /*bounded=*/false).IgnoreError();
}

ports::InputSink EngineLoop::Sink() {
  return [shared = shared_](model::Input input) {
    shared->Post(std::move(input), {}, /*bounded=*/false).IgnoreError();
  };
}

void EngineLoop::Stop(std::function<void(const base::Status&)> done) {
  // What was posted before still counts.
  shared_->TakeArrivals();
  // The wake-up is work that would keep the io_context running; nobody needs it any more.
  shared_->sequencer.Stop(
      [shared = shared_.get(), done = std::move(done)](const base::Status& status) {
        shared->timer->cancel();
        done(status);
      });
  const std::lock_guard lock(shared_->mutex);
  shared_->Schedule();
}

void EngineLoop::AddObserver(Observer* observer) {
  shared_->sequencer.AddObserver(observer);
}

void EngineLoop::RemoveObserver(Observer* observer) {
  shared_->sequencer.RemoveObserver(observer);
}

void EngineLoop::Read(std::function<void(const core::EngineCore&, base::Instant)> read) {
  shared_->sequencer.Read(std::move(read));
  const std::lock_guard lock(shared_->mutex);
  shared_->Schedule();
}

void EngineLoop::Touch(model::WorkerId worker, model::SessionId session) {
  shared_->sequencer.Touch(worker, session);
  const std::lock_guard lock(shared_->mutex);
  shared_->Schedule();
}

void EngineLoop::StreamEnded(model::WorkerId worker, model::SessionId session) {
  shared_->sequencer.StreamEnded(worker, session);
  const std::lock_guard lock(shared_->mutex);
  shared_->Schedule();
}

model::Epoch EngineLoop::epoch() const {
  return shared_->sequencer.epoch();
}

std::vector<std::pair<model::WorkerId, model::SessionId>> EngineLoop::RecoveredWorkers() const {
  return shared_->sequencer.core().Workers();
}

std::vector<model::RunId> EngineLoop::RecoveredRuns() const {
  return shared_->sequencer.core().OpenRuns();
}

std::vector<model::Assignment> EngineLoop::RecoveredAssignments() const {
  return shared_->sequencer.core().Assignments();
}

const LoopCounters& EngineLoop::counters() const {
  return shared_->sequencer.counters();
}

}  // namespace engine::loop
