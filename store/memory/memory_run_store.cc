// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_run_store.h"

#include <algorithm>
#include <utility>

#include "store/codec/fact_codec.h"
#include "store/codec/plan_codec.h"

namespace store::memory {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;
using base::Status;
using base::StatusOr;

class MemoryRunStore : public ports::RunStore {
 public:
  MemoryRunStore(std::shared_ptr<MemoryDisk> disk, const MemoryStoreOptions& options)
      : disk_(std::move(disk)), options_(options) {}

  ports::StoreCounters counters() const override { return counters_; }
  StatusOr<model::Epoch> AcquireShard() override {
    disk_->epoch = model::Epoch(disk_->epoch.value() + 1);
    return disk_->epoch;
  }
  StatusOr<ports::Recovered> Recover() override;
  Status Commit(const ports::CommitBatch& batch) override;
  Status ReadAfter(std::uint64_t after, const VisitRow& visit) override;
  StatusOr<model::PlanRef> LoadPlan(const model::PlanDigest& digest) override;

 private:
  Status Fence(const ports::CommitBatch& batch) const;
  StatusOr<ports::FactRow> Stored(const ports::FactRow& row) const;
  StatusOr<std::shared_ptr<const model::Snapshot>> Stored(
      std::shared_ptr<const model::Snapshot> snapshot) const;
  StatusOr<model::PlanRef> Stored(const model::PlanRef& plan) const;

  std::shared_ptr<MemoryDisk> disk_;
  MemoryStoreOptions options_;
  ports::StoreCounters counters_;
};

StatusOr<ports::FactRow> MemoryRunStore::Stored(const ports::FactRow& row) const {
  if (!options_.through_codec) {
    return row;
  }
  ASSIGN_OR_RETURN(std::vector<model::Fact> facts,
                   codec::DecodeFacts(codec::EncodeFacts(row.facts)));
  return ports::FactRow{row.run, std::move(facts)};
}

StatusOr<std::shared_ptr<const model::Snapshot>> MemoryRunStore::Stored(
    std::shared_ptr<const model::Snapshot> snapshot) const {
  if (!options_.through_codec || snapshot == nullptr) {
    return snapshot;
  }
  ASSIGN_OR_RETURN(model::Snapshot decoded,
                   codec::DecodeSnapshot(codec::EncodeSnapshot(*snapshot)));
  return std::make_shared<const model::Snapshot>(std::move(decoded));
}

StatusOr<model::PlanRef> MemoryRunStore::Stored(const model::PlanRef& plan) const {
  return options_.through_codec ? codec::DecodePlan(codec::EncodePlan(*plan)) : plan;
}

Status MemoryRunStore::Fence(const ports::CommitBatch& batch) const {
  if (batch.epoch != disk_->epoch) {
    return base::Aborted("memory: owned by epoch {} now, this is epoch {}", disk_->epoch.value(),
                         batch.epoch.value());
  }
  if (batch.seq_before != disk_->seq) {
    return base::Aborted("memory: the log has {} facts, the commit expects {}", disk_->seq,
                         batch.seq_before);
  }
  return base::OkStatus();
}

Status MemoryRunStore::Commit(const ports::CommitBatch& batch) {
  RETURN_IF_ERROR(Fence(batch));
  // Everything that can fail comes first: all of it or nothing.
  std::vector<std::pair<std::uint64_t, ports::FactRow>> rows;
  std::uint64_t seq = batch.seq_before;
  for (const ports::FactRow& row : batch.rows) {
    if (row.facts.empty()) {
      continue;
    }
    seq += row.facts.size();
    ASSIGN_OR_RETURN(ports::FactRow stored, Stored(row));
    stored.seq = seq;
    rows.emplace_back(seq, std::move(stored));
  }
  if (seq != batch.seq_after) {
    return base::InvalidArgument("a commit of {} facts that says it has {}", seq - batch.seq_before,
                                 batch.seq_after - batch.seq_before);
  }
  ASSIGN_OR_RETURN(auto snapshot, Stored(batch.snapshot));
  for (const auto& [digest, plan] : batch.plans) {
    ASSIGN_OR_RETURN(disk_->plans[digest], Stored(plan));
  }
  std::move(rows.begin(), rows.end(), std::back_inserter(disk_->log));
  if (snapshot != nullptr) {
    disk_->snapshots.push_back(std::move(snapshot));
  }
  disk_->seq = seq;
  ++counters_.commits;
  return base::OkStatus();
}

StatusOr<ports::Recovered> MemoryRunStore::Recover() {
  ports::Recovered out;
  out.seq = disk_->seq;
  if (!disk_->snapshots.empty()) {
    out.snapshot = disk_->snapshots.back();
    for (const model::Fact& fact : out.snapshot->facts) {
      out.last_at = std::max(out.last_at, fact.at);
    }
  }
  const std::uint64_t after = out.snapshot == nullptr ? 0 : out.snapshot->seq;
  for (const auto& [seq, row] : disk_->log) {
    if (seq > after) {
      out.tail.push_back(row);
      out.last_at = std::max(out.last_at, row.facts.back().at);
    }
  }
  return out;
}

Status MemoryRunStore::ReadAfter(std::uint64_t after, const VisitRow& visit) {
  for (const auto& [seq, row] : disk_->log) {
    if (seq > after && !visit(row)) {
      break;
    }
  }
  return base::OkStatus();
}

StatusOr<model::PlanRef> MemoryRunStore::LoadPlan(const model::PlanDigest& digest) {
  const auto found = disk_->plans.find(digest);
  if (found == disk_->plans.end()) {
    return base::NotFound("memory: no plan {}", ToHex(digest));
  }
  return found->second;
}

}  // namespace

std::unique_ptr<ports::RunStore> OpenMemoryRunStore(std::shared_ptr<MemoryDisk> disk,
                                                    const MemoryStoreOptions& options) {
  return std::make_unique<MemoryRunStore>(std::move(disk), options);
}

}  // namespace store::memory
