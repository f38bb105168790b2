// SPDX-License-Identifier: Apache-2.0
// All the core knows: open runs, their jobs, present workers, deadlines. Compact: jobs and nodes
// are dense vectors by index, what few jobs have stands behind `JobDetail`.
// What is marked "cache" is worked out again when it is missing and is no part of the state.
// Changed only by `Apply` (apply.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "engine/core/heap.h"
#include "engine/core/plan_program.h"
#include "engine/core/transitions.h"
#include "engine/graph/job_graph.h"
#include "engine/model/fact.h"
#include "engine/model/ids.h"
#include "engine/model/plan.h"
#include "engine/model/run_context.h"
#include "engine/model/status.h"
#include "engine/placement/groups.h"
#include "engine/placement/ready_order.h"
#include "engine/placement/worker_choice.h"

namespace engine::core {

struct ReadyQueue;
struct RunState;
struct WorkerState;

/// `JobIndex` of a deadline that is the run's own.
inline constexpr model::JobIndex kNoJob{0xffffffff};

/// What stood between the job's needs and its first attempt, and what somebody said before a
/// further one.
struct JobGates {
  std::optional<model::ApprovalRequested> asked;  ///< because the author wants it
  std::optional<model::ApprovalDecided> decided;
  std::optional<model::JobQueued> queued;
  std::optional<model::ApprovalRequested> asked_again;  ///< because an effect may be done
  std::optional<model::ApprovalDecided> decided_again;
};

/// What few jobs have.
struct JobDetail {
  std::unique_ptr<JobGates> gates;
  bool effect_may_be_done = false;                  ///< by any attempt so far
  std::vector<model::NamedValue> env;               ///< of `JobReadied`
  std::optional<model::JobBackedOff> backed_off;    ///< the newest
  std::optional<model::AttemptStopRequested> stop;  ///< of the attempt it has
  std::vector<model::JobWaitNoted> noted;
  std::vector<std::uint32_t> background;  ///< steps that run beside the others, ascending
};

struct JobState {
  std::shared_ptr<const model::JobResult> result;  ///< once it has ended
  std::unique_ptr<JobDetail> detail;
  WorkerState* worker = nullptr;      ///< of the attempt it has
  std::uint32_t worker_position = 0;  ///< in `WorkerState::attempts`
  std::uint32_t deadline_position = kNotInHeap;
  model::AttemptNumber attempt = 0;  ///< newest, or the next one while ready
  std::uint32_t slot = 0;
  std::uint32_t next_step = 0;  ///< first one not reported yet
  JobPhase phase = JobPhase::kWaiting;
  AttemptPhase attempt_phase = AttemptPhase::kNone;
  bool in_step = false;     ///< `next_step` has started
  bool once_begun = false;  ///< a step that must not be done twice has started in this attempt

  /// The step goes on beside those behind it.
  bool RunsBeside(std::uint32_t step) const {
    return detail != nullptr &&
           std::binary_search(detail->background.begin(), detail->background.end(), step);
  }
  /// Null: it has none.
  const JobGates* gates() const { return detail == nullptr ? nullptr : detail->gates.get(); }
  /// 0: it never asked for room.
  placement::Ticket ticket() const {
    return gates() != nullptr && gates()->queued.has_value() ? gates()->queued->ticket : 0;
  }
};

/// It had an attempt, whatever it waits for now.
inline bool HasBegun(const JobState& job) {
  return job.attempt > 1 || job.phase == JobPhase::kBackedOff ||
         (job.phase == JobPhase::kAsking && job.attempt > 0);
}

/// Counters of a spec or of a stage (its own specs and those of earlier ones); see
/// `graph::JobGraph`.
struct NodeState {
  std::uint32_t open_needs = 0;     ///< nodes it waits for that have not ended
  std::uint32_t open = 0;           ///< cells that have not ended
  std::uint32_t unwell = 0;         ///< ended ones (cells; specs) that do not satisfy `success`
  std::uint32_t failed = 0;         ///< ended cells that failed or timed out
  std::uint32_t after_failure = 0;  ///< ended ones that failed, or ended so because another did
  std::uint32_t first_unwell = 0xffffffff;  ///< of a stage: the smallest such spec
  std::uint32_t active = 0;     ///< cells between their first `JobReadied` and their end
  std::uint32_t next_cell = 0;  ///< first one that still waits
  friend bool operator==(const NodeState&, const NodeState&) = default;
};

struct DeadlineEntry {
  base::Instant at;
  RunState* run = nullptr;
  model::JobIndex job;
};
struct DeadlineLess {
  bool operator()(const DeadlineEntry& a, const DeadlineEntry& b) const;
};
struct DeadlineTrack {
  void operator()(const DeadlineEntry& entry, std::uint32_t position) const;
};
using DeadlineHeap = Heap<DeadlineEntry, DeadlineLess, DeadlineTrack>;

/// A worker in the queue of a place.
struct RoomEntry {
  WorkerState* worker = nullptr;
  std::uint32_t place = 0;  ///< `PlaceState::number`
};
struct RoomLess {
  bool operator()(const RoomEntry& a, const RoomEntry& b) const;
};
struct RoomTrack {
  void operator()(const RoomEntry& entry, std::uint32_t position) const;
};
using RoomHeap = Heap<RoomEntry, RoomLess, RoomTrack>;

using ReadyHeap = Heap<placement::ReadyKey, std::less<>>;

struct ReadyRun {
  RunState* run = nullptr;
  ReadyQueue* queue = nullptr;
};

/// Jobs of a pool that ask the same of a worker, and the workers that have it: those jobs wait for
/// one another, and nobody waits for those who ask for what is not there. Kept as long as a run has
/// such a job; that of jobs which ask for nothing, as long as its pool.
struct PlaceState {
  model::PlaceNeed need;
  std::uint32_t number = 0;   ///< in `PoolState::places`
  std::uint32_t users = 0;    ///< runs with a job of it
  std::uint32_t fitting = 0;  ///< workers of the pool, present or suspected, that offer all of it
  RoomHeap with_room;  ///< of these, those that could take one more attempt at their full depth
  std::map<model::RunId, ReadyRun> with_ready;  ///< cache: runs whose queue for it is not empty
  bool held = false;                            ///< cache of one placing: its first job must wait
};

/// Workers of one pool, and runs that have something ready for them. Kept as long as a worker or a
/// run of it is there.
struct PoolState {
  std::string name;
  std::uint32_t users = 0;     ///< places of runs, and workers
  std::uint32_t workers = 0;   ///< present or suspected ones
  std::uint32_t draining = 0;  ///< of these
  std::uint32_t alone = 0;     ///< of these: no other worker will ever be there
  /// The first is that of jobs which ask for nothing. Null: free for the next.
  std::vector<std::unique_ptr<PlaceState>> places;
  std::map<model::PlaceNeed, std::uint32_t> place_of;  ///< of the others
};

/// What of one run is ready for one place.
struct ReadyQueue {
  PoolState* pool = nullptr;
  PlaceState* place = nullptr;
  ReadyHeap jobs;  ///< cache: may hold jobs that are not ready any more
};

struct RunState {
  model::RunAccepted accepted;
  std::shared_ptr<PlanProgram> program;
  std::shared_ptr<const std::vector<model::NamedValue>>
      env;  ///< `accepted.env`, shared with assignments
  RunPhase phase = RunPhase::kAbsent;
  std::optional<model::RunCancelRequested> cancelled;  ///< the first
  std::optional<model::RunCancelRequested> killed;     ///< the second
  std::optional<model::RunEnded> ended;
  std::optional<model::RunQueued> queued;
  bool admitted = false;  ///< after it was queued
  std::uint32_t deadline_position = kNotInHeap;
  std::uint32_t open_jobs = 0;
  std::array<std::uint32_t, model::kStatusCount> counts{};  ///< of jobs that have ended
  std::vector<JobState> jobs;
  std::vector<NodeState> nodes;
  std::vector<ReadyQueue> ready;           ///< for each of `PlanProgram::places`; never resized
  std::unique_ptr<expr::Object> contexts;  ///< cache: what all its expressions see

  model::RunId id() const { return accepted.run; }
  const model::Plan& plan() const { return *program->plan(); }
  const graph::JobGraph& graph() const { return program->graph(); }
  JobState& job(model::JobIndex index) { return jobs[base::AsIndex(index)]; }
  const JobState& job(model::JobIndex index) const { return jobs[base::AsIndex(index)]; }
  NodeState& node(graph::NodeIndex index) { return nodes[base::AsIndex(index)]; }
  const NodeState& node(graph::NodeIndex index) const { return nodes[base::AsIndex(index)]; }
  NodeState& node_of(model::SpecIndex spec) { return nodes[base::AsIndex(spec)]; }
  const NodeState& node_of(model::SpecIndex spec) const { return nodes[base::AsIndex(spec)]; }
  ReadyQueue& queue_of(model::SpecIndex spec) { return ready[program->PlaceOf(spec)]; }
  const ReadyQueue& queue_of(model::SpecIndex spec) const { return ready[program->PlaceOf(spec)]; }
  model::SpecIndex spec_of(model::JobIndex index) const {
    return plan().jobs[base::AsIndex(index)].spec;
  }
  bool is_open() const { return phase != RunPhase::kEnded; }
  bool is_ending() const { return phase == RunPhase::kStopping || phase == RunPhase::kKilling; }
};

struct AttemptRef {
  RunState* run = nullptr;
  model::JobIndex job;
};

/// Of a worker in a place of its pool.
struct WorkerSeat {
  std::uint32_t position = kNotInHeap;  ///< in `PlaceState::with_room`
  bool fits = false;                    ///< the worker offers what is asked for there
};

struct WorkerState {
  model::WorkerJoined joined;  ///< `recent` stays empty here
  WorkerPhase phase = WorkerPhase::kAbsent;
  PoolState* pool = nullptr;
  std::optional<model::WorkerMarkedDraining> draining;  ///< the newest
  base::Instant lease_ends{};                           ///< while suspected
  std::vector<AttemptRef> attempts;                     ///< begun or not, in no order
  std::vector<base::Duration> recent;  ///< at most `placement::kRecentMax`, oldest first
  std::vector<WorkerSeat> seats;       ///< by `PlaceState::number`
  model::Resources used;               ///< what its attempts asked for

  model::WorkerId id() const { return joined.worker; }
  placement::WorkerLoad load() const {
    return {.assigned = static_cast<std::uint32_t>(attempts.size()),
            .slots = joined.slots,
            .ahead_max = joined.ahead_max};
  }
};

struct State {
  base::Instant last_at{};  ///< of the newest fact; time does not go back behind it
  std::map<model::RunId, std::unique_ptr<RunState>> runs;
  std::map<model::WorkerId, std::unique_ptr<WorkerState>> workers;
  DeadlineHeap deadlines;
  std::map<std::string, PoolState, std::less<>> pools;
  placement::Groups groups;
  std::map<std::string, model::RunId> by_key;  ///< open runs by idempotency key
  std::map<model::PlanDigest, std::shared_ptr<PlanProgram>> programs;  ///< cache

  RunState* FindRun(model::RunId run);
  const RunState* FindRun(model::RunId run) const;
  WorkerState* FindWorker(model::WorkerId worker);
  /// Made when it is not there.
  PoolState& UsePool(std::string_view name);
  void LeavePool(PoolState& pool);
  /// The same, of a pool that is in use.
  PlaceState& UsePlace(PoolState& pool, const model::PlaceNeed& need);
  static void LeavePlace(PoolState& pool, PlaceState& place);
  /// What the worker offers is held against what is asked for there.
  static void SeatAt(WorkerState& worker, PlaceState& place);
  /// The worker's load, what is free of it, or its phase is another.
  static void UpdateRoom(WorkerState& worker, PlaceState& place);
};

}  // namespace engine::core
