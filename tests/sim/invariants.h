// SPDX-License-Identifier: Apache-2.0
// What must hold in every world, judged from the durable log and from what workers really did, by
// rules of its own: nothing here asks the core. The first breach is kept, as a sentence.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/model/fact.h"
#include "engine/model/plan.h"

namespace tests::sim {

class Invariants {
 public:
  /// Runs that will be submitted, with what they mean.
  void Expect(engine::model::RunId run, engine::model::PlanRef plan);

  /// The next fact of the durable log.
  void OnFact(const engine::model::Fact& fact);
  /// A dispatch left the engine.
  void OnDispatched(const engine::model::Lease& lease);
  /// A drained worker says that it is done.
  void OnLeft(engine::model::WorkerId worker, engine::model::SessionId session);
  /// A worker began to execute the attempt; `under_way` is what all workers execute at this
  /// instant.
  void OnExecuted(const engine::model::Lease& lease,
                  const std::vector<engine::model::AttemptKey>& under_way);
  /// All runs have ended and nothing is under way.
  void AtTheEnd();

  void Fail(std::string what);
  const std::optional<std::string>& breach() const { return breach_; }

  bool RunEnded(engine::model::RunId run) const;
  bool AllRunsEnded() const;
  bool Lost(engine::model::WorkerId worker, engine::model::SessionId session) const;
  std::uint64_t facts() const { return facts_; }

 private:
  struct Job {
    std::uint32_t attempts = 0;  ///< assigned so far
    bool open = false;           ///< the newest attempt has not ended
    bool started = false;        ///< of the newest attempt
    std::uint32_t author_failures = 0;
    std::uint32_t facts = 0;
    std::uint32_t stops = 0;
    std::shared_ptr<const engine::model::JobResult> result;
    std::optional<engine::model::Status> last_attempt;
    engine::model::Lease lease;
    std::set<std::uint32_t> steps_open;
    std::vector<engine::model::GroupClaim> claims;  ///< held from its first attempt to its end
    bool approved = false;
    bool once_begun = false;  ///< of the newest attempt
    bool must_ask = false;    ///< before the next one
  };
  struct Run {
    engine::model::PlanRef plan;
    std::vector<Job> jobs;
    bool accepted = false;
    bool cancel_requested = false;
    std::vector<engine::model::GroupClaim> claims;
    bool queued = false;
    std::optional<engine::model::Status> ended;
  };
  struct Worker {
    std::uint32_t slots = 0;
    std::uint32_t ahead_max = 0;
    std::uint32_t held = 0;  ///< attempts assigned and not ended
    bool lost = false;
    bool draining = false;
    std::string pool;
    engine::model::WorkerOffer offer;
    engine::model::Resources used;  ///< what those attempts asked for
  };
  using Session = std::pair<engine::model::WorkerId, engine::model::SessionId>;

  template <typename Body>
  void Check(const Body&) {}
  void Check(const engine::model::RunAccepted& fact);
  void Check(const engine::model::RunCancelRequested& fact);
  void Check(const engine::model::RunEnded& fact);
  void Check(const engine::model::JobReadied& fact);
  void Check(const engine::model::JobBackedOff& fact);
  void Check(const engine::model::JobEnded& fact);
  void Check(const engine::model::AttemptAssigned& fact);
  void Check(const engine::model::AttemptStarted& fact);
  void Check(const engine::model::StepStarted& fact);
  void Check(const engine::model::StepEnded& fact);
  void Check(const engine::model::AttemptStopRequested& fact);
  void Check(const engine::model::AttemptEnded& fact);
  void Check(const engine::model::WorkerJoined& fact);
  void Check(const engine::model::RunQueued& fact);
  void Check(const engine::model::RunAdmitted& fact);
  void Check(const engine::model::JobQueued& fact);
  void Check(const engine::model::ApprovalDecided& fact);
  void Check(const engine::model::JobsExpanded& fact);
  void Check(const engine::model::WorkerLost& fact);
  void Check(const engine::model::WorkerMarkedDraining& fact);

  Run* Find(engine::model::RunId run);
  Job* FindOpen(const engine::model::AttemptKey& key, const char* what);
  void CheckGates(const engine::model::AttemptKey& key, const Run& run, Job& job);
  void CheckRoom(const engine::model::GroupClaim& claim);
  void CheckMatrixLimit(const Run& run, engine::model::JobIndex job);
  std::string NeedsBreach(const Run& run, engine::model::JobIndex job) const;
  /// The jobs that a need is about.
  std::vector<std::size_t> NeededJobs(const Run& run, const engine::model::JobSpec& spec,
                                      const engine::model::Need& need) const;
  void CheckAtTheEnd(engine::model::RunId id, const Run& run);
  std::string Where(const engine::model::AttemptKey& key) const;

  std::map<engine::model::RunId, Run> runs_;
  std::map<Session, Worker> workers_;
  std::map<engine::model::WorkerId, engine::model::SessionId> newest_session_;
  std::set<engine::model::AttemptKey> executed_;
  std::optional<std::string> breach_;
  std::uint64_t facts_ = 0;
  engine::base::Instant last_at_{};
};

}  // namespace tests::sim
