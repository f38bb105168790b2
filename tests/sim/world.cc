// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/world.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "store/codec/plan_codec.h"
#include "tests/sim/random_plan.h"

namespace tests::sim {

using namespace engine::model;  // NOLINT(google-build-using-namespace)
using engine::base::FormatInstant;
using engine::base::InstantFromMicros;
using engine::loop::Answer;
using engine::loop::Sequencer;
using engine::ports::CommitBatch;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::int64_t kStart = 1'700'000'000'000'000;  // an arbitrary moment
constexpr auto kStorm = seconds(90);                    // faults happen until then
constexpr auto kHorizon = hours(60);                    // longer than every default timeout
constexpr std::uint64_t kReplayEvery = 64;
constexpr std::uint64_t kStepsMax = 400'000;

engine::core::EngineCore ReplayedCore(engine::ports::RunStore& store, std::string& trouble) {
  engine::core::EngineCore core;
  const auto status = store.ReadAll([&](const engine::ports::FactRow& row) {
    for (const Fact& fact : row.facts) {
      PlanRef plan;
      if (const auto* accepted = std::get_if<RunAccepted>(&fact.body)) {
        auto loaded = store.LoadPlan(accepted->plan);
        if (!loaded.ok()) {
          trouble = "a plan of the log cannot be loaded";
          return false;
        }
        plan = *loaded;
      }
      core.Apply(fact, plan);
    }
    return true;
  });
  if (!status.ok()) {
    trouble = engine::base::Message(status);
  }
  return core;
}

engine::core::EngineCore RecoveredCore(engine::ports::RunStore& store, std::string& trouble) {
  engine::core::EngineCore core;
  auto recovered = store.Recover();
  if (!recovered.ok()) {
    trouble = engine::base::Message(recovered.status());
    return core;
  }
  const auto apply = [&](const Fact& fact) {
    PlanRef plan;
    if (const auto* accepted = std::get_if<RunAccepted>(&fact.body)) {
      plan = *store.LoadPlan(accepted->plan);
    }
    core.Apply(fact, plan);
  };
  if (recovered->snapshot != nullptr) {
    for (const Fact& fact : recovered->snapshot->facts) {
      apply(fact);
    }
  }
  for (const engine::ports::FactRow& row : recovered->tail) {
    for (const Fact& fact : row.facts) {
      apply(fact);
    }
  }
  return core;
}

std::string FirstDifference(const Snapshot& a, const Snapshot& b) {
  for (std::size_t i = 0; i < std::max(a.facts.size(), b.facts.size()); ++i) {
    const auto text = [i](const std::vector<Fact>& facts) {
      return i < facts.size() ? FormatInstant(facts[i].at) + " " + ToText(facts[i]) : "nothing";
    };
    if (i >= a.facts.size() || i >= b.facts.size() || !(a.facts[i] == b.facts[i])) {
      return fmt::format("fact {}: {} / {}", i, text(a.facts), text(b.facts));
    }
  }
  return "";
}

}  // namespace

World::World(std::uint64_t seed)
    : random_(engine::base::Mix64(seed)),
      seed_(seed),
      schedule_(InstantFromMicros(kStart)),
      faults_(Faults::Draw(random_)),
      disk_(std::make_shared<store::memory::MemoryDisk>()) {
  agents_wanted_ = static_cast<std::uint32_t>(2 + random_.Below(3));
  if (faults_.engine_takes_workers_along) {
    agents_wanted_ = 1;
  }
}

World::~World() = default;

// ---- the engine and its crashes

void World::StartEngine() {
  ++generation_;
  up_ = true;
  store_ = store::memory::OpenMemoryRunStore(disk_, {.through_codec = seed_ % 4 == 0});
  engine::loop::SequencerOptions options;
  options.snapshot_every = random_.OneIn(1, 2) ? 20 : 200;
  options.batch_facts_max = random_.OneIn(1, 2) ? 5 : 1000;
  options.workers_die_with_us = faults_.engine_takes_workers_along;
  if (!faults_.engine_takes_workers_along) {
    options.liveness.emplace();
  }
  engine::loop::SequencerParts parts;
  parts.store = store_.get();
  parts.committer = this;
  parts.clock = &schedule_;
  parts.arm = [this](Instant when) { ArmWakeUp(when); };
  parts.on_fatal = [this](const engine::base::Status&) { CrashEngine(); };
  sequencer_ = std::make_unique<Sequencer>(std::move(parts), options);
  if (const auto status = sequencer_->Recover(); !status.ok()) {
    invariants_.Fail(fmt::format("recovery failed: {}", engine::base::Message(status)));
    return;
  }
  CheckReplay();
  if (!faults_.engine_takes_workers_along) {
    StartHub();
  }
  sequencer_->Start(*this);
  sequencer_->Pump();
  if (faults_.engine_takes_workers_along && up_) {
    AddLocalWorker(SessionId(sequencer_->epoch().value()));
  }
}

void World::CrashEngine() {
  if (!up_) {
    return;
  }
  ++tally_.crashes;
  ++generation_;
  up_ = false;
  dead_.push_back(std::move(sequencer_));  // it may be further up the stack: buried later
  dead_hubs_.push_back(std::move(hub_));
  for (const LocalWorker& worker : locals_) {
    worker.agent->Kill();
  }
  if (network_ != nullptr) {
    network_->ServerDied();
  }
  ScheduleRestart();
}

void World::ScheduleRestart() {
  schedule_.After(milliseconds(50 + random_.Below(5000)), [this] {
    if (!up_) {
      StartEngine();
    }
  });
}

void World::ArmWakeUp(Instant when) {
  if (when <= schedule_.Now()) {
    invariants_.Fail("a wake-up was armed that is not in the future: the loop would spin");
    return;
  }
  const std::uint64_t armed = ++armed_;
  const std::uint64_t generation = generation_;
  schedule_.At(when, [this, armed, generation] {
    if (up_ && armed == armed_ && generation == generation_) {
      sequencer_->OnWakeUp();
    }
  });
}

void World::Commit(const CommitBatch& batch, Done done) {
  const std::uint64_t generation = generation_;
  const std::uint64_t draw = random_.Below(1000);
  PerMille edge = 0;
  const auto hit = [&](PerMille rate) { return draw < (edge += rate); };
  const bool fails = hit(faults_.commit_fails);
  const bool unknown = !fails && hit(faults_.commit_unknown);
  const bool crash_before = !fails && !unknown && hit(faults_.crash_before_commit);
  const bool crash_after = edge <= draw && hit(faults_.crash_after_commit);
  const bool crash_effects = edge <= draw && hit(faults_.crash_after_effects);
  const bool slow = random_.OneIn(faults_.commit_slow, 1000);
  const Duration delay = slow ? Duration(random_.Below(2'000'000)) : Duration(random_.Below(1000));
  schedule_.After(delay, [=, this, &batch, done = std::move(done)] {
    if (generation != generation_) {
      return;
    }
    if (crash_before) {
      LateCommit(batch);
      CrashEngine();
      return;
    }
    const auto status = fails ? engine::base::Unavailable("simulated") : store_->Commit(batch);
    tally_.commits_failed += fails || unknown ? 1 : 0;
    if (crash_after) {
      CrashEngine();
      return;
    }
    done(unknown ? engine::base::Unavailable("simulated, outcome unknown") : status);
    if (crash_effects) {
      CrashEngine();
    }
  });
}

// A batch of the dead engine that was still on its way must bounce off the new owner's epoch.
void World::LateCommit(const CommitBatch& batch) {
  schedule_.After(seconds(6), [this, batch] {
    if (batch.epoch < disk_->epoch && store_ != nullptr && up_ && sequencer_->idle()) {
      if (store_->Commit(batch).code() != absl::StatusCode::kAborted) {
        invariants_.Fail("a deposed owner's commit was taken");
      }
    }
  });
}

// ---- messages

void World::Send(Input input, engine::loop::Reply reply) {
  if (!up_) {
    return;
  }
  const std::uint64_t generation = generation_;
  sequencer_->Take(std::move(input),
                   [this, generation, reply = std::move(reply)](const Answer& answer) {
                     tally_.refusals += answer.refused.size();
                     if (generation == generation_ && reply) {
                       reply(answer);
                     }
                   });
  sequencer_->Pump();
}

// Says it until somebody who survives has made it durable, as long as it is true.
void World::Tell(Input input, std::function<bool()> still_true) {
  if (still_true && !still_true()) {
    return;
  }
  auto told = std::make_shared<bool>(false);
  Send(input, [told](const Answer& answer) { *told = answer.status.ok(); });
  schedule_.After(seconds(3), [this, told, input = std::move(input), still_true] {
    if (!*told) {
      Tell(input, still_true);
    }
  });
}

void World::PumpSoon() {
  schedule_.After({}, [this, generation = generation_] {
    if (generation == generation_ && up_) {
      sequencer_->Pump();
    }
  });
}

// ---- engine::ports::AgentLink

void World::Dispatch(const Assignment& assignment) {
  ReadLog();
  invariants_.OnDispatched(assignment.lease);
  if (hub_ != nullptr) {
    hub_->Dispatch(assignment);
    return;
  }
  const auto order = [assignment](Agent& agent) { agent.Dispatched(assignment); };
  SendToLocal(assignment.lease.session, order);
  if (random_.OneIn(faults_.message_repeated, 1000)) {
    SendToLocal(assignment.lease.session, order);
  }
}

void World::Stop(const StopAttempt& stop) {
  if (hub_ != nullptr) {
    hub_->Stop(stop);
    return;
  }
  SendToLocal(stop.lease.session, [stop](Agent& agent) { agent.Stopped(stop); });
}

void World::Drain(const DrainWorker& order) {
  if (hub_ != nullptr) {
    hub_->Drain(order);
  }
}

// ---- the story

void World::DrawInputs() {
  runs_ = 1 + random_.Below(3);
  for (std::size_t i = 0; i < runs_; ++i) {
    const RunId run(1000 + i);
    const PlanRef plan = DrawPlan(random_, !faults_.engine_takes_workers_along);
    invariants_.Expect(run, plan);
    auto context = std::make_shared<RunContext>();
    context->seed = random_.Next();
    SubmitRun submit{.run = run,
                     .plan = plan,
                     .digest = store::codec::DigestOf(*plan),
                     .context = context,
                     .idempotency_key = fmt::format("key{}", i)};
    DrawDrains();
    const Duration arrives = milliseconds(random_.Below(20'000));
    schedule_.After(arrives, [this, submit] { Tell(submit); });
    if (random_.OneIn(1, 3)) {
      const Duration cancelled = arrives + milliseconds(random_.Below(15'000));
      schedule_.After(cancelled, [this, run] { Tell(CancelRun{run, false, "somebody"}); });
      if (random_.OneIn(1, 2)) {
        schedule_.After(cancelled + milliseconds(random_.Below(5000)), [this, run] {
          Tell(CancelRun{run, true, "somebody"});
        });
      }
    }
  }
}

// Somebody has a worker drained; it may be gone by then, or not there yet.
void World::DrawDrains() {
  if (!random_.OneIn(faults_.worker_drained, 1000)) {
    return;
  }
  const DrainRequested drain{.worker = WorkerId(1 + random_.Below(agents_wanted_ + 1)),
                             .session = {},
                             .stop_attempts = random_.OneIn(1, 3),
                             .by = "somebody"};
  schedule_.After(milliseconds(random_.Below(30'000)), [this, drain] {
    if (!faults_.engine_takes_workers_along) {
      Tell(drain);
    }
  });
}

bool World::Finished() const {
  if (!up_ || !sequencer_->idle() || !invariants_.AllRunsEnded()) {
    return false;
  }
  const auto busy_local = [](const LocalWorker& each) {
    return each.agent->alive() && !(each.agent->quiet() && each.line->empty());
  };
  const auto busy_remote = [](const auto& each) { return each->alive() && !each->quiet(); };
  return std::ranges::none_of(locals_, busy_local) && std::ranges::none_of(remotes_, busy_remote);
}

void World::ReadLog() {
  for (; rows_read_ < disk_->log.size(); ++rows_read_) {
    for (const Fact& fact : disk_->log[rows_read_].second.facts) {
      invariants_.OnFact(fact);
      if (const auto* asked = std::get_if<ApprovalRequested>(&fact.body)) {
        AnswerSoon(*asked);
      }
    }
  }
}

// Somebody answers, mostly yes, sometimes when it is too late.
void World::AnswerSoon(const ApprovalRequested& asked) {
  const bool approve = random_.OneIn(3, 4);
  const Duration delay = milliseconds(random_.Below(random_.OneIn(1, 2) ? 2000 : 3'600'000));
  schedule_.After(delay, [this, run = asked.run, job = asked.job, approve] {
    Tell(
        DecideApproval{.run = run, .job = job, .approve = approve, .by = "somebody", .inputs = {}});
  });
}

std::vector<AttemptKey> World::UnderWay() const {
  std::vector<AttemptKey> keys;
  const auto add = [&](const std::vector<AttemptKey>& more) {
    keys.insert(keys.end(), more.begin(), more.end());
  };
  for (const LocalWorker& worker : locals_) {
    if (worker.agent->alive()) {
      add(worker.agent->running());
    }
  }
  for (const auto& agent : remotes_) {
    if (agent->alive()) {
      add(agent->execution().running());
    }
  }
  return keys;
}

void World::CheckReplay() {
  ++tally_.replays;
  std::string trouble;
  const Snapshot replayed = ReplayedCore(*store_, trouble).TakeSnapshot();
  const Snapshot recovered = RecoveredCore(*store_, trouble).TakeSnapshot();
  if (!trouble.empty()) {
    invariants_.Fail(trouble);
  }
  if (!(replayed.facts == recovered.facts)) {
    invariants_.Fail("replay of all and snapshot with tail differ: " +
                     FirstDifference(replayed, recovered));
  }
  if (sequencer_->idle()) {
    const Snapshot live = sequencer_->core().TakeSnapshot();
    if (!(replayed.facts == live.facts)) {
      invariants_.Fail("the live state and its replay differ: " + FirstDifference(live, replayed));
    }
  }
}

void World::AfterStep() {
  dead_.clear();
  dead_hubs_.clear();
  ReadLog();
  if (++tally_.steps % kReplayEvery == 0 && up_ && sequencer_->idle()) {
    CheckReplay();
  }
}

std::optional<std::string> World::Run() {
  schedule_.After(kStorm, [this] { faults_ = faults_.Calmed(); });
  DrawInputs();
  if (!faults_.engine_takes_workers_along) {
    network_ =
        std::make_unique<Network>(NetworkParts{.schedule = &schedule_,
                                               .random = &random_,
                                               .faults = &faults_,
                                               .hub = [this] { return up_ ? hub_.get() : nullptr; },
                                               .owner = [this] { return OwnerAddress(); },
                                               .after = [this] { PumpSoon(); }});
  }
  StartEngine();
  for (std::uint32_t i = 0; network_ != nullptr && i < agents_wanted_; ++i) {
    AddRemoteAgent(std::string(i % 2 == 0 ? kDefaultPool : kOtherPool));
  }
  const Instant horizon = InstantFromMicros(kStart) + kHorizon;
  while (!invariants_.breach() && !Finished()) {
    if (!schedule_.RunOne() || schedule_.Now() > horizon || tally_.steps > kStepsMax) {
      break;
    }
    AfterStep();
  }
  if (!invariants_.breach() && up_) {
    CheckReplay();
    invariants_.AtTheEnd();
  }
  tally_.facts = invariants_.facts();
  tally_.streams_cut = network_ == nullptr ? 0 : network_->cuts();
  return invariants_.breach();
}

std::string World::LogText() const {
  std::string text;
  for (const auto& [seq, row] : disk_->log) {
    for (const Fact& fact : row.facts) {
      text += fmt::format("{} {}\n", engine::base::FormatInstant(fact.at), ToText(fact));
    }
  }
  return text;
}

}  // namespace tests::sim
