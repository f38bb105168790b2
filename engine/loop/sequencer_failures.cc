// SPDX-License-Identifier: Apache-2.0
// What the sequencer does when a commit fails: the core knows things that may not be true, so a new
// one is built from what is durable, and the inputs are stepped again. Inputs may always be
// repeated: if the commit did happen, the new core refuses them as stale.
#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "engine/loop/recovery.h"
#include "engine/loop/sequencer.h"

namespace engine::loop {
namespace {

// Trying again cannot help: another owner, damage, a version of the future, a defect of ours.
bool IsFinal(const base::Status& status) {
  using Code = absl::StatusCode;
  constexpr std::array kFinal = {Code::kAborted,         Code::kDataLoss, Code::kFailedPrecondition,
                                 Code::kInvalidArgument, Code::kNotFound, Code::kPermissionDenied};
  return std::find(kFinal.begin(), kFinal.end(), status.code()) != kFinal.end();
}

}  // namespace

void Sequencer::OnFailed(const base::Status& status, Batch batch) {
  ++counters_.commits_failed;
  if (batch.inputs.empty() && stopping_) {
    // The snapshot at the stop: a convenience. All facts are durable.
    snapshot_seq_ = durable_seq_;
    if (parts_.on_trouble) {
      parts_.on_trouble(status);
    }
    Pump();
    return;
  }
  std::vector<Pending> again = std::move(batch.inputs);
  Batch next = std::exchange(pending_, {});
  std::move(next.inputs.begin(), next.inputs.end(), std::back_inserter(again));
  for (Pending& pending : again) {
    pending.refused.clear();
    pending.again = true;
  }
  std::erase_if(again, [](const Pending& pending) {
    return std::holds_alternative<model::DeadlinePassed>(pending.input);
  });
  inbox_.insert(inbox_.begin(), std::make_move_iterator(again.begin()),
                std::make_move_iterator(again.end()));
  Pause(status);
}

void Sequencer::Pause(const base::Status& status) {
  ++failures_;
  if (IsFinal(status) || failures_ > options_.failures_max) {
    Fail(status);
    return;
  }
  phase_ = Phase::kPaused;
  const base::Duration pause =
      options_.first_pause * (std::int64_t{1} << std::min(failures_ - 1, 20));
  paused_until_ = Now() + std::min(pause, options_.pause_max);
  if (parts_.on_trouble) {
    parts_.on_trouble(status);
  }
  ArmWakeUp();
}

void Sequencer::Resume() {
  if (const base::Status status = Rebuild(); !status.ok()) {
    Pause(status);
    return;
  }
  ++counters_.recoveries;
  phase_ = Phase::kRunning;
  Reissue();
}

base::Status Sequencer::Rebuild() {
  ASSIGN_OR_RETURN(RecoveredCore recovered, RecoverCore(*parts_.store));
  if (recovered.seq < durable_seq_) {
    return base::DataLoss("the log has {} facts, but {} were durable", recovered.seq, durable_seq_);
  }
  std::uint64_t in_tail = 0;
  for (const ports::FactRow& row : recovered.tail) {
    in_tail += row.facts.size();
  }
  RETURN_IF_ERROR(ShowMissed(recovered.tail, recovered.seq - in_tail));
  core_ = std::move(recovered.core);
  durable_seq_ = recovered.seq;
  snapshot_seq_ = recovered.snapshot_seq;
  snapshot_facts_ = recovered.snapshot_facts;
  return base::OkStatus();
}

// The failed commit may have happened: its facts are true, and nobody has been told. Nobody is told
// before all of them are read: reading may break off, and the next try would tell them again.
base::Status Sequencer::ShowMissed(const std::vector<ports::FactRow>& tail,
                                   std::uint64_t tail_seq) {
  if (tail_seq <= durable_seq_) {
    Show(tail, tail_seq);
    return base::OkStatus();
  }
  // The commit brought a snapshot along, so the tail does not hold them.
  std::vector<ports::FactRow> missed;
  RETURN_IF_ERROR(parts_.store->ReadAfter(durable_seq_, [&missed](const ports::FactRow& row) {
    missed.push_back(row);
    return true;
  }));
  Show(missed, durable_seq_);
  return base::OkStatus();
}

// `seq` is that of the fact before `rows`.
void Sequencer::Show(const std::vector<ports::FactRow>& rows, std::uint64_t seq) {
  for (const ports::FactRow& row : rows) {
    if (seq >= durable_seq_) {
      counters_.facts += row.facts.size();
      for (const model::Fact& fact : row.facts) {
        WatchWorkers(fact);
      }
      for (Observer* observer : observers_) {
        observer->OnDurable(seq + 1, row.facts);
      }
    }
    seq += row.facts.size();
  }
}

void Sequencer::Fail(const base::Status& status) {
  phase_ = Phase::kFatal;
  fatal_status_ = status;
  reads_.clear();
  Batch pending = std::exchange(pending_, {});
  std::vector<Pending> unanswered = std::move(pending.inputs);
  std::move(inbox_.begin(), inbox_.end(), std::back_inserter(unanswered));
  inbox_.clear();
  for (const Pending& input : unanswered) {
    if (input.reply) {
      input.reply({status, {}});
    }
  }
  if (const auto done = std::exchange(stop_done_, nullptr)) {
    done(status);
  }
  if (parts_.on_fatal) {
    parts_.on_fatal(status);
  }
}

}  // namespace engine::loop
