// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/sequencer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/overloaded.h"
#include "engine/loop/recovery.h"

namespace engine::loop {

Sequencer::Sequencer(SequencerParts parts, SequencerOptions options)
    : parts_(std::move(parts)), options_(options) {
  if (options_.liveness) {
    liveness_.emplace(*options_.liveness);
  }
}

base::Instant Sequencer::Now() {
  last_now_ = std::max(last_now_, parts_.clock->Now());
  return last_now_;
}

// ---- inputs become facts

void Sequencer::Take(model::Input input, Reply reply) {
  if (stopping_ || phase_ == Phase::kFatal) {
    if (reply) {
      reply({stopping_ ? base::Cancelled("the engine is stopping") : fatal_status_, {}});
    }
    return;
  }
  inbox_.push_back({.input = std::move(input), .reply = std::move(reply)});
}

void Sequencer::Pump() {
  if (pumping_ || phase_ != Phase::kRunning) {
    return;
  }
  pumping_ = true;
  RunReads();
  StepQueued();
  MaybeCommit();
  MaybeFinish();
  pumping_ = false;
  ArmWakeUp();
}

void Sequencer::StepQueued() {
  // A reader waits for a moment at which all is durable: nothing new is begun until it came.
  while (!inbox_.empty() && reads_.empty() && pending_.facts < options_.batch_facts_max) {
    Pending next = std::move(inbox_.front());
    inbox_.pop_front();
    StepOne(std::move(next));
  }
}

void Sequencer::StepOne(Pending pending) {
  ++counters_.inputs;
  if (std::holds_alternative<model::DeadlinePassed>(pending.input)) {
    deadline_queued_ = false;
  }
  core::Decisions decisions = core_->Step(pending.input, Now());
  if (const auto* submit = std::get_if<model::SubmitRun>(&pending.input);
      submit != nullptr && !decisions.facts.empty()) {
    pending_.commit.plans.emplace_back(submit->digest, submit->plan);
  }
  AddFacts(std::move(decisions.facts));
  std::move(decisions.effects.begin(), decisions.effects.end(),
            std::back_inserter(pending_.effects));
  counters_.refusals += decisions.refused.size();
  pending.refused = std::move(decisions.refused);
  pending_.inputs.push_back(std::move(pending));
}

// Neighbours of one run share a row; the order of the facts stays as it is.
void Sequencer::AddFacts(std::vector<model::Fact> facts) {
  pending_.facts += facts.size();
  for (model::Fact& fact : facts) {
    const model::RunId run = RunOf(fact);
    if (pending_.commit.rows.empty() || pending_.commit.rows.back().run != run) {
      pending_.commit.rows.push_back({run, {}});
    }
    pending_.commit.rows.back().facts.push_back(std::move(fact));
  }
}

// ---- facts become durable

void Sequencer::MaybeCommit() {
  if (in_flight_ != nullptr || phase_ != Phase::kRunning || pending_.inputs.empty()) {
    return;
  }
  if (pending_.facts == 0) {
    // Only refusals, and all they rest on is durable.
    OnDurable(std::exchange(pending_, {}));
    return;
  }
  in_flight_ = std::make_unique<Batch>(std::exchange(pending_, {}));
  ports::CommitBatch& commit = in_flight_->commit;
  commit.epoch = epoch_;
  commit.seq_before = durable_seq_;
  commit.seq_after = durable_seq_ + in_flight_->facts;
  AttachSnapshot(*in_flight_);
  parts_.committer->Commit(commit, [this](const base::Status& status) { OnCommitted(status); });
}

// All that was stepped is in this batch, so the core's state is that after it. Waiting until as
// many facts came as the last snapshot held keeps the copying a constant cost a fact.
void Sequencer::AttachSnapshot(Batch& batch) {
  const std::uint64_t since = batch.commit.seq_after - snapshot_seq_;
  if (options_.snapshot_every == 0 || since < std::max(options_.snapshot_every, snapshot_facts_)) {
    return;
  }
  auto snapshot = std::make_shared<model::Snapshot>(core_->TakeSnapshot());
  snapshot->seq = batch.commit.seq_after;
  batch.commit.snapshot = std::move(snapshot);
}

void Sequencer::OnCommitted(const base::Status& status) {
  const std::unique_ptr<Batch> batch = std::move(in_flight_);
  if (phase_ == Phase::kFatal) {
    return;
  }
  if (!status.ok()) {
    OnFailed(status, std::move(*batch));
    return;
  }
  ++counters_.commits;
  failures_ = 0;
  durable_seq_ = batch->commit.seq_after;
  if (batch->commit.snapshot != nullptr) {
    ++counters_.snapshots;
    snapshot_seq_ = batch->commit.snapshot->seq;
    snapshot_facts_ = batch->commit.snapshot->facts.size();
  }
  // The store is busy again before we do anything else.
  MaybeCommit();
  OnDurable(std::move(*batch));
  Pump();
}

void Sequencer::OnDurable(Batch batch) {
  counters_.facts += batch.facts;
  for (const model::Effect& effect : batch.effects) {
    Hand(effect);
  }
  std::uint64_t seq = batch.commit.seq_before + 1;
  for (const ports::FactRow& row : batch.commit.rows) {
    for (const model::Fact& fact : row.facts) {
      WatchWorkers(fact);
    }
    for (Observer* observer : observers_) {
      observer->OnDurable(seq, row.facts);
    }
    seq += row.facts.size();
  }
  for (Pending& input : batch.inputs) {
    Answered(input);
  }
}

void Sequencer::Answered(Pending& pending) {
  if (!pending.reply) {
    return;
  }
  const auto* submit = std::get_if<model::SubmitRun>(&pending.input);
  if (pending.again && submit != nullptr) {
    // The commit that failed had stored it: to the sender this run was accepted, not refused.
    std::erase_if(pending.refused, [submit](const model::Refusal& refusal) {
      return refusal.code == model::RefusalCode::kAlreadyExists && refusal.run == submit->run;
    });
  }
  pending.reply({base::OkStatus(), std::move(pending.refused)});
}

void Sequencer::Hand(const model::Effect& effect) {
  ++counters_.effects;
  std::visit(base::Overloaded{[this](const model::DispatchAttempt& dispatch) {
                                link_->Dispatch(dispatch.assignment);
                              },
                              [this](const model::StopAttempt& stop) { link_->Stop(stop); },
                              [this](const model::DrainWorker& drain) { link_->Drain(drain); }},
             effect);
}

// ---- recovery

base::Status Sequencer::Recover() {
  CHECK(phase_ == Phase::kNew);
  ASSIGN_OR_RETURN(epoch_, parts_.store->AcquireShard());
  ASSIGN_OR_RETURN(RecoveredCore recovered, RecoverCore(*parts_.store));
  core_ = std::move(recovered.core);
  durable_seq_ = recovered.seq;
  snapshot_seq_ = recovered.snapshot_seq;
  snapshot_facts_ = recovered.snapshot_facts;
  last_now_ = std::max(last_now_, recovered.last_at);
  return base::OkStatus();
}

void Sequencer::Start(ports::AgentLink& link) {
  CHECK(phase_ == Phase::kNew && core_ != nullptr);
  link_ = &link;
  phase_ = Phase::kRunning;
  const base::Instant now = Now();
  if (liveness_) {
    for (const auto& [worker, session] : core_->Workers()) {
      liveness_->AddUnconfirmed(worker, session, now);
    }
  }
  Reissue();
  ArmWakeUp();
}

void Sequencer::Reissue() {
  for (const model::Effect& effect : core_->Outstanding()) {
    const model::SessionId session = std::visit(
        base::Overloaded{[](const model::DispatchAttempt& dispatch) {
                           return dispatch.assignment.lease.session;
                         },
                         [](const model::StopAttempt& stop) { return stop.lease.session; },
                         [](const model::DrainWorker& drain) { return drain.session; }},
        effect);
    if (!options_.workers_die_with_us || session.value() == epoch_.value()) {
      Hand(effect);
    }
  }
}

// ---- liveness

void Sequencer::Touch(model::WorkerId worker, model::SessionId session) {
  if (liveness_ && liveness_->Touch(worker, session, Now())) {
    Take(model::WorkerReturned{worker, session});
  }
}

void Sequencer::StreamEnded(model::WorkerId worker, model::SessionId session) {
  if (liveness_ && liveness_->Suspect(worker, session)) {
    Take(model::WorkerSuspected{worker, session});
  }
}

void Sequencer::WatchWorkers(const model::Fact& fact) {
  if (!liveness_) {
    return;
  }
  if (const auto* joined = std::get_if<model::WorkerJoined>(&fact.body)) {
    liveness_->Touch(joined->worker, joined->session, Now());
  } else if (const auto* lost = std::get_if<model::WorkerLost>(&fact.body)) {
    liveness_->Forget(lost->worker);
  }
}

void Sequencer::CheckWorkers(base::Instant now) {
  if (liveness_) {
    for (model::Input& input : liveness_->Check(now)) {
      Take(std::move(input));
    }
  }
}

// ---- the wake-up

void Sequencer::OnWakeUp() {
  armed_.reset();
  const base::Instant now = Now();
  if (phase_ == Phase::kPaused && now >= paused_until_) {
    Resume();
    return;
  }
  if (phase_ == Phase::kRunning) {
    CheckWorkers(now);
    if (deadline_ && now >= *deadline_ && !deadline_queued_) {
      deadline_queued_ = true;
      Take(model::DeadlinePassed{});
    }
  }
  Pump();
  ArmWakeUp();
}

// A wake-up that comes too early costs less than moving it each time a deadline moves back.
void Sequencer::ArmWakeUp() {
  std::optional<base::Instant> next;
  const auto consider = [&next](std::optional<base::Instant> at) {
    if (at && (!next || *at < *next)) {
      next = at;
    }
  };
  if (phase_ == Phase::kPaused) {
    next = paused_until_;
  } else if (phase_ == Phase::kRunning) {
    // While the inbox waits for a slow commit, what is due stays due: waking up again for it would
    // spin. It is stepped when the commit is done.
    deadline_ = deadline_queued_ ? std::nullopt : core_->NextDeadline(last_now_);
    consider(deadline_);
    consider(liveness_ ? liveness_->NextCheck() : std::nullopt);
  }
  if (next && (!armed_ || *next < *armed_)) {
    armed_ = next;
    parts_.arm(*next);
  }
}

// ---- reading and stopping

void Sequencer::Read(std::function<void(const core::EngineCore&, base::Instant)> read) {
  if (phase_ != Phase::kFatal) {
    reads_.push_back(std::move(read));
  }
}

void Sequencer::RunReads() {
  if (reads_.empty() || !everything_durable()) {
    return;
  }
  for (const auto& read : std::exchange(reads_, {})) {
    read(*core_, Now());
  }
}

void Sequencer::Stop(std::function<void(const base::Status&)> done) {
  if (phase_ == Phase::kFatal || phase_ == Phase::kNew) {
    done(fatal_status_);
    return;
  }
  stopping_ = true;
  stop_done_ = std::move(done);
}

bool Sequencer::FinalSnapshotPays() const {
  return options_.snapshot_every != 0 &&
         durable_seq_ - snapshot_seq_ >= options_.snapshot_at_stop && !core_->OpenRuns().empty();
}

void Sequencer::MaybeFinish() {
  if (!stopping_ || phase_ != Phase::kRunning || !idle()) {
    return;
  }
  RunReads();
  if (FinalSnapshotPays()) {
    in_flight_ = std::make_unique<Batch>();
    ports::CommitBatch& commit = in_flight_->commit;
    commit.epoch = epoch_;
    commit.seq_before = commit.seq_after = durable_seq_;
    auto snapshot = std::make_shared<model::Snapshot>(core_->TakeSnapshot());
    snapshot->seq = durable_seq_;
    commit.snapshot = std::move(snapshot);
    parts_.committer->Commit(commit, [this](const base::Status& status) { OnCommitted(status); });
    return;
  }
  phase_ = Phase::kStopped;
  if (const auto done = std::exchange(stop_done_, nullptr)) {
    done(base::OkStatus());
  }
}

void Sequencer::AddObserver(Observer* observer) {
  observers_.push_back(observer);
}

void Sequencer::RemoveObserver(Observer* observer) {
  std::erase(observers_, observer);
}

}  // namespace engine::loop
