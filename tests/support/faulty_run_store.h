// SPDX-License-Identifier: Apache-2.0
// Wraps a `RunStore` and makes it fail as told: before the commit, after it (so that the caller
// does not know), or in between calls. Same threads as the store it wraps.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "engine/base/status.h"
#include "engine/ports/run_store.h"

namespace tests::support {

enum class FaultKind {
  kNone,
  kBeforeCommit,  ///< nothing is stored
  kAfterCommit,   ///< all is stored, and the caller is told that it failed
};

struct StoreFault {
  FaultKind kind = FaultKind::kNone;
  engine::base::Status status = engine::base::OkStatus();
};

/// What a full disk says.
inline StoreFault DiskFull() {
  return {FaultKind::kBeforeCommit, engine::base::ResourceExhausted("no space left on device")};
}
/// A commit whose outcome nobody told.
inline StoreFault UnknownOutcome() {
  return {FaultKind::kAfterCommit, engine::base::Unavailable("the connection broke")};
}

class FaultyRunStore : public engine::ports::RunStore {
 public:
  using Draw = std::function<StoreFault(const engine::ports::CommitBatch&)>;

  /// `draw` is asked before each commit; it may also take its time (a slow disk).
  FaultyRunStore(engine::ports::RunStore& real, Draw draw) : real_(real), draw_(std::move(draw)) {}

  /// `Recover` fails with these, first to last, before it works again.
  void FailRecoveries(std::vector<engine::base::Status> statuses) {
    recover_failures_ = std::move(statuses);
  }
  /// So does `ReadAfter`, each time after the first row.
  void FailReads(std::vector<engine::base::Status> statuses) {
    read_failures_ = std::move(statuses);
  }
  /// So does `LoadPlan`.
  void FailPlans(std::vector<engine::base::Status> statuses) {
    plan_failures_ = std::move(statuses);
  }

  engine::ports::StoreCounters counters() const override { return real_.counters(); }
  engine::base::StatusOr<engine::model::Epoch> AcquireShard() override {
    return real_.AcquireShard();
  }
  engine::base::StatusOr<engine::ports::Recovered> Recover() override {
    RETURN_IF_ERROR(Next(recover_failures_));
    return real_.Recover();
  }
  engine::base::Status Commit(const engine::ports::CommitBatch& batch) override {
    const StoreFault fault = draw_ ? draw_(batch) : StoreFault{};
    if (fault.kind == FaultKind::kBeforeCommit) {
      return fault.status;
    }
    engine::base::Status status = real_.Commit(batch);
    return fault.kind == FaultKind::kAfterCommit ? fault.status : status;
  }
  engine::base::Status ReadAfter(std::uint64_t after, const VisitRow& visit) override {
    const engine::base::Status failure = Next(read_failures_);
    RETURN_IF_ERROR(real_.ReadAfter(
        after, [&](const engine::ports::FactRow& row) { return visit(row) && failure.ok(); }));
    return failure;
  }
  engine::base::Status ReadRuns(std::span<const engine::model::RunId> runs,
                                const VisitRow& visit) override {
    return real_.ReadRuns(runs, visit);
  }
  engine::base::StatusOr<engine::model::PlanRef> LoadPlan(
      const engine::model::PlanDigest& digest) override {
    RETURN_IF_ERROR(Next(plan_failures_));
    return real_.LoadPlan(digest);
  }

 private:
  static engine::base::Status Next(std::vector<engine::base::Status>& failures) {
    if (failures.empty()) {
      return engine::base::OkStatus();
    }
    const engine::base::Status status = failures.front();
    failures.erase(failures.begin());
    return status;
  }

  engine::ports::RunStore& real_;
  Draw draw_;
  std::vector<engine::base::Status> recover_failures_;
  std::vector<engine::base::Status> read_failures_;
  std::vector<engine::base::Status> plan_failures_;
};

}  // namespace tests::support
