// SPDX-License-Identifier: Apache-2.0
// The engine on one Asio io_context: everything but `Post` and `Sink` belongs to the thread that
// runs it. What is decided, in which order and when it counts as durable stands in
// `sequencer.h`; here are the thread that commits, the timer and the way in from other threads.
//
//   EngineLoop loop(io, store, clock, options);
//   RETURN_IF_ERROR(loop.Recover());
//   Runner runner(io, loop.Sink(), …);      // an AgentLink
//   loop.AddObserver(&view);
//   loop.Start(runner);
//   loop.Post(SubmitRun{…}, [](const Answer& answer) { … });
//   io.run();
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "engine/base/status.h"
#include "engine/loop/observer.h"
#include "engine/loop/sequencer.h"
#include "engine/model/input.h"
#include "engine/ports/agent_link.h"
#include "engine/ports/clock.h"
#include "engine/ports/run_store.h"

namespace engine::loop {

struct LoopOptions {
  SequencerOptions sequencer;
  std::size_t inbox_max = 65536;  ///< inputs of `Post`; beyond it `ResourceExhausted`
  /// A commit failed and the loop goes on. May be empty.
  std::function<void(const base::Status&)> on_trouble;
  /// The loop has given up; replies were answered with this status. The owner ends the process.
  std::function<void(const base::Status&)> on_fatal;
};

class EngineLoop {
 public:
  /// All outlive the loop. The store belongs to the loop (and its commit thread) until it is gone.
  EngineLoop(boost::asio::io_context& io, ports::RunStore& store, ports::Clock& clock,
             LoopOptions options);
  /// Waits for a commit under way. Handlers still queued in the io_context do nothing afterwards.
  ~EngineLoop();
  EngineLoop(const EngineLoop&) = delete;
  EngineLoop& operator=(const EngineLoop&) = delete;

  /// Takes the shard and rebuilds the core from what is durable. Before `Start`.
  base::Status Recover();
  /// Issues what is outstanding and begins. Inputs posted before are stepped after that.
  void Start(ports::AgentLink& link);

  /// Any thread. `reply` (may be empty) is called on the engine's thread when what the input led to
  /// is durable. `ResourceExhausted` when the inbox is full: nothing was taken, `reply` is dropped.
  base::Status Post(model::Input input, Reply reply = {});
  /// Any thread. As `Post`, for what workers say, whose amount is bounded elsewhere: never refused,
  /// unless the loop is gone.
  void PostReport(model::Input input, Reply reply);
  /// Any thread. For reports of workers, whose number is bounded by what they were assigned: never
  /// refused. Stays callable after the loop is gone.
  ports::InputSink Sink();

  /// Snapshot if it pays, then `done`. See `Sequencer::Stop`.
  void Stop(std::function<void(const base::Status&)> done);

  // On the engine's thread; see `Sequencer`.
  void AddObserver(Observer* observer);
  void RemoveObserver(Observer* observer);
  void Read(std::function<void(const core::EngineCore&, base::Instant now)> read);
  void Touch(model::WorkerId worker, model::SessionId session);
  void StreamEnded(model::WorkerId worker, model::SessionId session);

  model::Epoch epoch() const;
  /// Workers the recovered core knows; between `Recover` and `Start`.
  std::vector<std::pair<model::WorkerId, model::SessionId>> RecoveredWorkers() const;
  /// Runs that are not closed, ascending; as above.
  std::vector<model::RunId> RecoveredRuns() const;
  /// Attempts that the recovered core knows to be on workers; as `RecoveredWorkers`.
  std::vector<model::Assignment> RecoveredAssignments() const;
  const LoopCounters& counters() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace engine::loop
