// SPDX-License-Identifier: Apache-2.0
// The workers of a world: where they come from, how they die, and what comes after them.
#include <utility>

#include "tests/sim/random_plan.h"
#include "tests/sim/world.h"

namespace tests::sim {

using namespace engine::model;  // NOLINT(google-build-using-namespace)
using engine::loop::Answer;
using std::chrono::milliseconds;

// ---- workers of the engine's process

AgentSurroundings World::ExecutionParts() {
  AgentSurroundings parts;
  parts.schedule = &schedule_;
  parts.random = &random_;
  parts.faults = &faults_;
  parts.outcome_seed = seed_;
  parts.executed = [this](const Lease& lease) {
    ++tally_.executions;
    ReadLog();
    invariants_.OnExecuted(lease, UnderWay());
  };
  return parts;
}

Agent* World::FindLocal(SessionId session) {
  for (const LocalWorker& worker : locals_) {
    if (worker.agent->alive() && worker.agent->session() == session) {
      return worker.agent.get();
    }
  }
  return nullptr;
}

void World::SendToLocal(SessionId session, std::function<void(Agent&)> order) {
  const Agent* agent = FindLocal(session);
  if (agent == nullptr) {
    return;
  }
  const bool lost = agent->cut_off() || random_.OneIn(faults_.message_lost, 1000);
  const Duration delay = lost ? milliseconds(1000) : Duration(random_.Below(3000));
  schedule_.After(delay, [this, session, order, lost] {
    Agent* receiver = FindLocal(session);
    if (lost) {
      SendToLocal(session, order);
    } else if (receiver != nullptr) {
      order(*receiver);
    }
  });
}

void World::AddLocalWorker(SessionId session) {
  const auto slots = static_cast<std::uint32_t>(1 + random_.Below(4));
  const auto ahead = static_cast<std::uint32_t>(random_.Below(3));
  const std::size_t place = locals_.size();
  DirectLineParts line;
  line.schedule = &schedule_;
  line.random = &random_;
  line.faults = &faults_;
  line.alive = [this, place] { return locals_[place].agent->alive(); };
  line.cut_off = [this, place] { return locals_[place].agent->cut_off(); };
  line.send = [this](Input input, engine::loop::Reply reply) {
    Send(std::move(input), std::move(reply));
  };
  AgentSurroundings parts = ExecutionParts();
  parts.report = [this, place](const AttemptReported& report) {
    locals_[place].line->Push(report);
  };
  parts.die = [this] {  // the same process
    ++tally_.workers_died;
    CrashEngine();
  };
  locals_.push_back({std::make_unique<DirectLine>(std::move(line)),
                     std::make_unique<Agent>(WorkerId(1), session, slots, std::move(parts))});
  Tell(WorkerConnected{.worker = WorkerId(1),
                       .session = session,
                       .pool = "default",
                       .slots = slots,
                       .ahead_max = ahead,
                       .owner_restarted = session.value() > 1,
                       .offer = DrawOffer(random_),
                       .alone = true},
       [this, place] { return locals_[place].agent->alive(); });
}

// ---- workers behind a network

void World::StartHub() {
  api::hub::HubParts parts;
  parts.take = [this](Input input, engine::loop::Reply reply) {
    const std::uint64_t generation = generation_;
    sequencer_->Take(std::move(input),
                     [this, generation, reply = std::move(reply)](const Answer& answer) {
                       tally_.refusals += answer.refused.size();
                       if (generation == generation_) {
                         reply(answer);
                       }
                     });
    PumpSoon();
  };
  parts.touch = [this](WorkerId worker, SessionId session) {
    sequencer_->Touch(worker, session);
    PumpSoon();
  };
  parts.stream_ended = [this](WorkerId worker, SessionId session) {
    sequencer_->StreamEnded(worker, session);
    PumpSoon();
  };
  parts.soon = [this](std::function<void()> what) { schedule_.After({}, std::move(what)); };
  parts.watch = this;
  hub_ = std::make_unique<api::hub::AgentHub>(
      std::move(parts), api::hub::HubOptions{.order_life = sequencer_->epoch().value()});
  hub_->Adopt(sequencer_->core().Workers());
  sequencer_->AddObserver(hub_.get());
}

// The provider may know, after a moment.
void World::Ask(WorkerId worker, SessionId session) {
  const auto dead = provider_tells_.find(worker);
  if (dead == provider_tells_.end() || !dead->second) {
    return;
  }
  schedule_.After(milliseconds(random_.Below(500)), [this, worker, session] {
    Tell(WorkerGone{worker, session, "killed by signal 9"});
  });
}

void World::AddRemoteAgent(const std::string& pool) {
  const std::size_t place = remotes_.size();
  AgentSurroundings execution = ExecutionParts();
  execution.die = [this, place] { KillRemote(*remotes_[place]); };
  RemoteSurroundings parts;
  parts.schedule = &schedule_;
  parts.random = &random_;
  parts.faults = &faults_;
  parts.addresses = {"a", "b"};
  parts.pool = pool;
  parts.slots = static_cast<std::uint32_t>(1 + random_.Below(4));
  parts.ahead_max = static_cast<std::uint32_t>(random_.Below(3));
  parts.offer = DrawOffer(random_);
  parts.dial = [this, place](agents::core::StreamNumber number, const std::string& address) {
    network_->Dial(*remotes_[place], number, address);
  };
  parts.send = [this, place](agents::core::StreamNumber number, const AgentMessage& message) {
    tally_.sessions += std::holds_alternative<AgentBegin>(message) ? 1 : 0;
    network_->Send(*remotes_[place], number, message);
  };
  parts.hang_up = [this, place](agents::core::StreamNumber) { network_->HangUp(*remotes_[place]); };
  parts.died = [this, place] {
    ++tally_.agents_restarted;
    network_->HangUp(*remotes_[place]);
  };
  parts.left = [this, place] { LeaveRemote(*remotes_[place]); };
  parts.breach = [this](std::string what) { invariants_.Fail(std::move(what)); };
  remotes_.push_back(
      std::make_unique<RemoteAgent>(WorkerId(place + 1), std::move(execution), std::move(parts)));
  remotes_.back()->Start();
}

void World::KillRemote(RemoteAgent& agent) {
  ++tally_.workers_died;
  agent.Kill();
  provider_tells_[agent.worker()] = random_.OneIn(2, 3);
  network_->HangUp(agent);
  schedule_.After(milliseconds(1600 + random_.Below(1000)),
                  [this, pool = agent.pool()] { AddRemoteAgent(pool); });
}

// It has finished what it was given, and nothing more was on its way.
void World::LeaveRemote(RemoteAgent& agent) {
  ++tally_.drained;
  ReadLog();
  invariants_.OnLeft(agent.worker(), agent.session());
  agent.Kill();
  provider_tells_[agent.worker()] = random_.OneIn(2, 3);
  network_->HangUp(agent);
  schedule_.After(milliseconds(100 + random_.Below(2000)),
                  [this, pool = agent.pool()] { AddRemoteAgent(pool); });
}

}  // namespace tests::sim
