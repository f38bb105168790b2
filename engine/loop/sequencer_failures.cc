// SPDX-License-Identifier: Apache-2.0
// What the sequencer does when a commit fails: the core knows things that may not be true, so a new
// one is built from what is durable, and the inputs are stepped again. Inputs may always be
// repeated: if the commit did happen, the new core refuses them as stale.
#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

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
  const int failures_max = stopping_
                               ? std::min(options_.failures_max, options_.failures_stopping_max)
                               : options_.failures_max;
  if (IsFinal(status) || failures_ > failures_max) {
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

// Reading back may take long, and longer still to find that nobody answers: workers are heard and
// people are answered meanwhile.
void Sequencer::Resume() {
  phase_ = Phase::kRereading;
  auto reread = std::make_shared<base::StatusOr<Reread>>();
  parts_.committer->Aside(
      [store = parts_.store, seen = durable_seq_, reread] { *reread = RereadCore(*store, seen); },
      [this, reread] { OnReread(std::move(*reread)); });
}

void Sequencer::OnReread(base::StatusOr<Reread> reread) {
  if (!reread.ok()) {
    Pause(reread.status());
    return;
  }
  Show(reread->missed);
  RecoveredCore& recovered = reread->recovered;
  core_ = std::move(recovered.core);
  durable_seq_ = recovered.seq;
  snapshot_seq_ = recovered.snapshot_seq;
  snapshot_facts_ = recovered.snapshot_facts;
  ++counters_.recoveries;
  phase_ = Phase::kRunning;
  Reissue();
  OnWakeUp();
}

// The failed commit may have happened: its facts are true, and nobody has been told.
void Sequencer::Show(const std::vector<ports::FactRow>& missed) {
  std::uint64_t seq = durable_seq_;
  for (const ports::FactRow& row : missed) {
    counters_.facts += row.facts.size();
    for (const model::Fact& fact : row.facts) {
      WatchWorkers(fact);
    }
    for (Observer* observer : observers_) {
      observer->OnDurable(seq + 1, row.facts);
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
