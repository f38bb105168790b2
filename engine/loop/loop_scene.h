// SPDX-License-Identifier: Apache-2.0
// What the loop's tests have in common: a link that remembers, a worker that answers, an observer
// that writes down, and a sequencer whose commits and time the test controls.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/loop/sequencer.h"
#include "engine/model/input.h"
#include "store/codec/plan_codec.h"
#include "store/memory/memory_run_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/faulty_run_store.h"
#include "tests/support/held_committer.h"
#include "tests/support/plan_builder.h"

namespace engine::loop::testing {

inline constexpr model::RunId kRun{0x18c2f00000001234};
inline constexpr model::WorkerId kWorker{1};

/// Remembers what it was sent.
class RecordingLink : public ports::AgentLink {
 public:
  void Dispatch(const model::Assignment& assignment) override {
    dispatched.push_back(assignment.lease);
  }
  void Stop(const model::StopAttempt& stop) override { stopped.push_back(stop.lease); }

  std::vector<model::Lease> dispatched;
  std::vector<model::Lease> stopped;
};

/// Remembers all facts, and that none came twice or out of order.
class RecordingObserver : public Observer {
 public:
  void OnDurable(std::uint64_t first_seq, std::span<const model::Fact> seen) override {
    in_order = in_order && first_seq == next_seq;
    next_seq = first_seq + seen.size();
    facts.insert(facts.end(), seen.begin(), seen.end());
  }
  template <typename Body>
  int Count() const {
    int count = 0;
    for (const model::Fact& fact : facts) {
      count += std::holds_alternative<Body>(fact.body) ? 1 : 0;
    }
    return count;
  }

  std::vector<model::Fact> facts;
  std::uint64_t next_seq = 1;
  bool in_order = true;
};

inline model::WorkerConnected Worker(model::SessionId session, std::uint32_t slots = 2) {
  return {.worker = kWorker,
          .session = session,
          .pool = std::string(model::kDefaultPool),
          .slots = slots,
          .ahead_max = 4};
}

inline model::SubmitRun Submit(model::PlanRef plan, model::RunId run = kRun) {
  model::SubmitRun input;
  input.run = run;
  input.digest = store::codec::DigestOf(*plan);
  input.plan = std::move(plan);
  input.context = std::make_shared<const model::RunContext>();
  return input;
}

/// `jobs` jobs of one step that need nothing.
inline model::PlanRef JobsAside(int jobs) {
  tests::support::PlanBuilder plan;
  for (int i = 0; i < jobs; ++i) {
    plan.Job("j" + std::to_string(i)).Run("true");
  }
  return plan.Build();
}

/// What a worker says of an attempt whose one step succeeded.
inline model::AttemptReported Succeeded(const model::Lease& lease) {
  model::ReportStepEnded step;
  step.took = std::chrono::microseconds(300);
  model::ReportEnded ended;
  ended.took = std::chrono::microseconds(320);
  return {lease, {model::ReportStarted{0}, model::ReportStepStarted{}, step, ended}};
}

/// A sequencer on a memory disk. `Restart` is a crash: only the disk stays.
class Scene {
 public:
  explicit Scene(SequencerOptions options = {}) : options_(options) { Build(); }

  void Restart() {
    sequencer.reset();
    Build();
  }
  /// Commits and steps until nothing is left to do.
  void Settle() {
    sequencer->Pump();
    while (committer->busy()) {
      committer->Finish();
    }
  }
  /// Lets every dispatched attempt succeed until no more come.
  void WorkThrough() {
    Settle();
    for (std::size_t next = 0; next < link.dispatched.size(); ++next) {
      sequencer->Take(Succeeded(link.dispatched[next]));
      Settle();
    }
  }
  /// Time passes to the wake-up that was asked for.
  bool WakeUp() {
    if (!wake_at) {
      return false;
    }
    clock.Set(std::max(*std::exchange(wake_at, std::nullopt), clock.Now()));
    sequencer->OnWakeUp();
    return true;
  }
  /// The answer to this input, once it was given.
  std::shared_ptr<std::optional<Answer>> Take(model::Input input) {
    auto answer = std::make_shared<std::optional<Answer>>();
    sequencer->Take(std::move(input), [answer](const Answer& given) { *answer = given; });
    return answer;
  }

  std::shared_ptr<store::memory::MemoryDisk> disk = std::make_shared<store::memory::MemoryDisk>();
  std::unique_ptr<ports::RunStore> memory;
  std::unique_ptr<tests::support::FaultyRunStore> store;
  std::unique_ptr<tests::support::HeldCommitter> committer;
  tests::support::FakeClock clock;
  RecordingLink link;
  RecordingObserver observer;
  std::vector<base::Status> troubles;
  std::vector<base::Status> fatals;
  std::optional<base::Instant> wake_at;
  tests::support::FaultyRunStore::Draw draw;  ///< absent: the store works
  std::unique_ptr<Sequencer> sequencer;

 private:
  void Build() {
    link = {};
    observer = {};
    wake_at.reset();
    memory = store::memory::OpenMemoryRunStore(disk, {.through_codec = true});
    store = std::make_unique<tests::support::FaultyRunStore>(
        *memory, [this](const ports::CommitBatch& batch) {
          return draw ? draw(batch) : tests::support::StoreFault{};
        });
    committer = std::make_unique<tests::support::HeldCommitter>(*store);
    SequencerParts parts;
    parts.store = store.get();
    parts.committer = committer.get();
    parts.clock = &clock;
    parts.arm = [this](base::Instant at) { wake_at = at; };
    parts.on_trouble = [this](const base::Status& status) { troubles.push_back(status); };
    parts.on_fatal = [this](const base::Status& status) { fatals.push_back(status); };
    sequencer = std::make_unique<Sequencer>(std::move(parts), options_);
    sequencer->AddObserver(&observer);
    const base::Status status = sequencer->Recover();
    CHECK_MSG(status.ok(), status.ToString().c_str());
    observer.next_seq = sequencer->durable_seq() + 1;
    sequencer->Start(link);
  }

  SequencerOptions options_;
};

}  // namespace engine::loop::testing
