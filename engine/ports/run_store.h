// SPDX-License-Identifier: Apache-2.0
// Where a shard's log lives. One totally ordered log, one owner, one transaction a batch.
// Threads: an instance is used by one thread at a time (the commit thread, once the loop runs).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/fact.h"
#include "engine/model/ids.h"
#include "engine/model/plan.h"
#include "engine/model/snapshot.h"

namespace engine::ports {

/// One `Step`'s facts; the unit that is applied whole.
struct FactRow {
  model::RunId run;  ///< 0: about workers
  std::vector<model::Fact> facts;
  std::uint64_t seq = 0;  ///< of its last fact, when it was read from a log
};

/// Everything one transaction makes durable. `seq_before` must be what the store has, else
/// `Aborted`.
struct CommitBatch {
  model::Epoch epoch;
  std::uint64_t seq_before = 0;  ///< facts in the log so far
  std::uint64_t seq_after = 0;   ///< `seq_before` + the number of facts in `rows`
  std::vector<FactRow> rows;
  std::vector<std::pair<model::PlanDigest, model::PlanRef>> plans;  ///< repeats are harmless
  /// State at exactly `seq_after`.
  std::shared_ptr<const model::Snapshot> snapshot;
};

struct Recovered {
  std::uint64_t seq = 0;
  base::Instant last_at{};                          ///< of the newest fact
  std::shared_ptr<const model::Snapshot> snapshot;  ///< null: replay from the beginning
  std::vector<FactRow> tail;                        ///< after the snapshot, in order
};

/// Plans by digest. Also the seam `Replay` reads through.
class PlanSource {
 public:
  virtual ~PlanSource() = default;
  /// `NotFound` when no such plan was ever stored, `DataLoss` when its bytes do not match the
  /// digest.
  virtual base::StatusOr<model::PlanRef> LoadPlan(const model::PlanDigest& digest) = 0;
};

/// Counted since the store was opened; for benchmarks and `--stats`.
struct StoreCounters {
  std::uint64_t commits = 0;
  std::uint64_t flushes = 0;    ///< fsync and fdatasync, those of opening it included
  std::uint64_t row_bytes = 0;  ///< encoded facts
  std::uint64_t plan_bytes = 0;
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t written_bytes = 0;  ///< to files, as far as the store can see
  std::uint64_t statements = 0;     ///< sent to a database server, each a round trip
};

class RunStore : public PlanSource {
 public:
  /// As every call: not while another one is under way.
  virtual StoreCounters counters() const { return {}; }

  /// Takes ownership of the shard: raises its epoch durably and returns it. Every older owner's
  /// commit fails from here.
  virtual base::StatusOr<model::Epoch> AcquireShard() = 0;

  /// Newest snapshot and the facts after it. `FailedPrecondition` when the data is of a newer
  /// version than this build, `DataLoss` when it is damaged; both name the place.
  virtual base::StatusOr<Recovered> Recover() = 0;

  /// All of `batch` or nothing, durable when it returns OK. `Aborted`: another owner, or the
  /// sequence does not match. `ResourceExhausted`: the disk is full. Any other error: the outcome
  /// may be unknown.
  virtual base::Status Commit(const CommitBatch& batch) = 0;

  using VisitRow = std::function<bool(const FactRow&)>;
  /// Hands the log behind fact `after` (0, or the last of a commit) to `visit`, row by row, until
  /// it returns false. Rows that were dropped by age (`RunRetention`) are left out, so what follows
  /// the oldest snapshot is whole. Not OK: some rows may have been handed out.
  virtual base::Status ReadAfter(std::uint64_t after, const VisitRow& visit) = 0;
  /// From its very beginning.
  base::Status ReadAll(const VisitRow& visit) { return ReadAfter(0, visit); }

  /// Hands out the rows of `runs` (ascending) alone, those of each run in order. A store that can
  /// find them overrides this, which reads all.
  virtual base::Status ReadRuns(std::span<const model::RunId> runs, const VisitRow& visit) {
    return ReadAll([&](const FactRow& row) {
      return !std::binary_search(runs.begin(), runs.end(), row.run) || visit(row);
    });
  }
};

}  // namespace engine::ports
