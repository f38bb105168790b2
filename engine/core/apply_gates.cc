// SPDX-License-Identifier: Apache-2.0
#include "engine/core/applier.h"

namespace engine::core {

using model::JobIndex;
using model::ReasonCode;
using model::SpecIndex;

// It no longer merely waits: it counts against `max_parallel` from here to its end.
void Applier::Activate(RunState& run, JobIndex job) {
  if (run.job(job).phase == JobPhase::kWaiting) {
    ++run.node_of(run.spec_of(job)).active;
  }
}

// Whatever it does next, it is past the queue. Nothing without a ticket, or when it holds already.
void Applier::Admit(placement::Ticket ticket) {
  if (ticket != 0 && !state_.groups.At(ticket).holds) {
    state_.groups.Admit(ticket);
    NoteFreed(ticket);
  }
}

void Applier::LeaveGroups(placement::Ticket ticket) {
  if (ticket != 0) {
    NoteFreed(ticket);
    state_.groups.Remove(ticket);
  }
}

void Applier::NoteFreed(placement::Ticket ticket) {
  if (consequences_ == nullptr) {
    return;
  }
  for (const model::GroupClaim& claim : state_.groups.At(ticket).claims) {
    consequences_->freed.insert(claim.group);
  }
}

void Applier::On(const model::RunQueued& fact) {
  RunState& run = RunOf(fact.run);
  kRunMachine.Fire(run.phase, RunTrigger::kQueued);
  run.queued = fact;
  state_.groups.Add(fact.ticket, {.run = fact.run, .job = std::nullopt, .claims = fact.claims});
  NoteFreed(fact.ticket);
}

// What was released while the run waited was not looked at; it is released again.
void Applier::On(const model::RunAdmitted& fact) {
  RunState& run = RunOf(fact.run);
  kRunMachine.Fire(run.phase, RunTrigger::kAdmitted);
  run.admitted = true;
  Admit(run.queued->ticket);
  for (std::uint32_t i = 0; i < run.graph().spec_count(); ++i) {
    if (run.nodes[i].open_needs == 0 && run.nodes[i].open != 0) {
      Release(run, SpecIndex(i));
    }
  }
}

void Applier::On(const model::JobDelayed& fact) {
  RunState& run = RunOf(fact.run);
  JobState& job = JobOf(run, fact.job);
  Activate(run, fact.job);
  kJobMachine.Fire(job.phase, JobTrigger::kDelayed);
  SetDeadline(run, fact.job, fact.until);
  SkipDecidedCells(run, run.spec_of(fact.job));
}

void Applier::On(const model::ApprovalRequested& fact) {
  RunState& run = RunOf(fact.run);
  JobState& job = JobOf(run, fact.job);
  Activate(run, fact.job);
  Admit(job.ticket());
  kJobMachine.Fire(job.phase, JobTrigger::kAsked);
  JobGates& gates = GatesOf(job);
  if (fact.reason.code == ReasonCode::kEffectMayBeDone) {
    gates.asked_again = fact;
    gates.decided_again.reset();
    job.detail->effect_may_be_done = true;
    job.attempt = fact.attempt - 1;
  } else {
    gates.asked = fact;
  }
  SetDeadline(run, fact.job, fact.deadline);
  SkipDecidedCells(run, run.spec_of(fact.job));
}

void Applier::On(const model::ApprovalDecided& fact) {
  RunState& run = RunOf(fact.run);
  JobState& job = JobOf(run, fact.job);
  kJobMachine.Fire(job.phase, JobTrigger::kApproved);
  JobGates& gates = GatesOf(job);
  (gates.asked_again.has_value() ? gates.decided_again : gates.decided) = fact;
  ClearDeadline(run, fact.job);
}

void Applier::On(const model::JobQueued& fact) {
  RunState& run = RunOf(fact.run);
  JobState& job = JobOf(run, fact.job);
  Activate(run, fact.job);
  kJobMachine.Fire(job.phase, JobTrigger::kQueued);
  GatesOf(job).queued = fact;
  state_.groups.Add(fact.ticket, {.run = fact.run, .job = fact.job, .claims = fact.claims});
  NoteFreed(fact.ticket);
  SetDeadline(run, fact.job, fact.deadline);
  SkipDecidedCells(run, run.spec_of(fact.job));
}

}  // namespace engine::core
