// SPDX-License-Identifier: Apache-2.0
#include "api/wire/run_events.h"

#include <utility>
#include <variant>

#include "engine/model/expand.h"

namespace api::wire {
namespace {

using Found = base::StatusOr<std::optional<model::Fact>>;

// A reason that this build does not know is of a newer server: nothing to show, nothing wrong.
model::Reason ReasonOrNone(const pb::Reason& reason) {
  return ReasonFrom(reason).value_or(model::Reason());
}

/// Fills in the body that belongs to a fact.
class EventWriter {
 public:
  explicit EventWriter(pb::RunEvent& out) : out_(out) {}

  void operator()(const model::RunAccepted& fact) {
    out_.mutable_run_accepted()->set_deadline_at_us(base::ToMicros(fact.deadline));
  }
  void operator()(const model::RunCancelRequested& fact) {
    out_.mutable_run_cancel_requested()->set_kill(fact.kill);
    ToWire(fact.reason, out_.mutable_run_cancel_requested()->mutable_reason());
  }
  void operator()(const model::RunEnded& fact) {
    pb::RunEndedEvent* out = out_.mutable_run_ended();
    out->set_status(ToWire(fact.status));
    ToWire(fact.reason, out->mutable_reason());
    ToWire(fact.counts, out->mutable_counts());
  }
  void operator()(const model::RunClosed&) { out_.mutable_run_closed(); }
  void operator()(const model::JobReadied& fact) {
    pb::JobReadiedEvent* out = out_.mutable_job_readied();
    out->set_job(fact.job.value());
    out->set_attempt(fact.attempt);
    out->set_queue_deadline_at_us(base::ToMicros(fact.queue_deadline));
  }
  void operator()(const model::JobWaitNoted& fact) {
    out_.mutable_job_wait_noted()->set_job(fact.job.value());
    ToWire(fact.reason, out_.mutable_job_wait_noted()->mutable_reason());
  }
  void operator()(const model::JobBackedOff& fact) {
    pb::JobBackedOffEvent* out = out_.mutable_job_backed_off();
    out->set_job(fact.job.value());
    out->set_attempt(fact.attempt);
    out->set_infrastructure(fact.infra);
    ToWire(fact.reason, out->mutable_reason());
    out->set_author_retries(fact.author_retries);
    out->set_infrastructure_retries(fact.infra_retries);
  }
  void operator()(const model::JobEnded& fact) {
    pb::JobEndedEvent* out = out_.mutable_job_ended();
    out->set_job(fact.job.value());
    out->set_status(ToWire(fact.result->status));
    ToWire(fact.result->reason, out->mutable_reason());
    ToWire(fact.result->outputs, out->mutable_outputs());
    ToWire(fact.result->spilled, out->mutable_spilled());
    for (const model::Artifact& artifact : fact.result->artifacts) {
      ToWire(artifact, out->add_artifacts());
    }
    if (!fact.result->remarks.empty()) {
      ToWire(fact.result->remarks, out->mutable_remarks());
    }
  }
  void operator()(const model::AttemptAssigned& fact) {
    pb::AttemptAssignedEvent* out = Attempt(fact.lease.key, out_.mutable_attempt_assigned());
    out->set_worker_id(fact.lease.worker.value());
  }
  void operator()(const model::AttemptStarted& fact) {
    pb::AttemptStartedEvent* out = Attempt(fact.key, out_.mutable_attempt_started());
    out->set_slot(fact.slot);
    out->set_deadline_at_us(base::ToMicros(fact.deadline));
  }
  void operator()(const model::StepStarted& fact) {
    Attempt(fact.key, out_.mutable_step_started())->set_step(fact.step.value());
  }
  void operator()(const model::StepEnded& fact) {
    pb::StepEndedEvent* out = Attempt(fact.key, out_.mutable_step_ended());
    out->set_step(fact.step.value());
    out->set_status(ToWire(fact.status));
    ToWire(fact.reason, out->mutable_reason());
    out->set_took_us(fact.took.count());
    std::uint64_t bytes = 0;
    for (const model::LogRange& range : fact.log.ranges) {
      bytes += range.length;
    }
    out->set_log_bytes(bytes);
    out->set_log_truncated(fact.log.truncated);
  }
  void operator()(const model::AttemptStopRequested& fact) {
    pb::AttemptStopRequestedEvent* out = Attempt(fact.key, out_.mutable_attempt_stop_requested());
    out->set_kill(fact.kill);
    ToWire(fact.reason, out->mutable_reason());
    out->set_deadline_at_us(base::ToMicros(fact.deadline));
  }
  void operator()(const model::AttemptEnded& fact) {
    pb::AttemptEndedEvent* out = Attempt(fact.key, out_.mutable_attempt_ended());
    out->set_status(ToWire(fact.status));
    out->set_infrastructure(fact.infra);
    ToWire(fact.reason, out->mutable_reason());
    out->set_took_us(fact.took.count());
  }
  void operator()(const model::WorkerJoined&) {}
  void operator()(const model::WorkerMarkedSuspect&) {}
  void operator()(const model::WorkerRecovered&) {}
  void operator()(const model::WorkerLost&) {}
  void operator()(const model::WorkerMarkedDraining&) {}
  void operator()(const model::RunQueued& fact) {
    ToWire(fact.reason, out_.mutable_run_queued()->mutable_reason());
  }
  void operator()(const model::RunAdmitted&) { out_.mutable_run_admitted(); }
  void operator()(const model::JobDelayed& fact) {
    out_.mutable_job_delayed()->set_job(fact.job.value());
    out_.mutable_job_delayed()->set_until_at_us(base::ToMicros(fact.until));
  }
  void operator()(const model::ApprovalRequested& fact) {
    pb::ApprovalRequestedEvent* out = out_.mutable_approval_requested();
    out->set_job(fact.job.value());
    out->set_attempt(fact.attempt);
    ToWire(fact.reason, out->mutable_reason());
    out->set_deadline_at_us(base::ToMicros(fact.deadline));
  }
  void operator()(const model::ApprovalDecided& fact) {
    pb::ApprovalDecidedEvent* out = out_.mutable_approval_decided();
    out->set_job(fact.job.value());
    out->set_approved(fact.approved);
    out->set_by(fact.approval.by);
    ToWire(fact.approval.inputs, out->mutable_inputs());
  }
  void operator()(const model::JobQueued& fact) {
    pb::JobQueuedEvent* out = out_.mutable_job_queued();
    out->set_job(fact.job.value());
    ToWire(fact.reason, out->mutable_reason());
    out->set_deadline_at_us(base::ToMicros(fact.deadline));
    out->set_environment(fact.environment);
    out->set_environment_url(fact.environment_url);
  }
  void operator()(const model::AttemptUnheard& fact) {
    Attempt(fact.key, out_.mutable_attempt_unheard())
        ->set_deadline_at_us(base::ToMicros(fact.deadline));
  }
  void operator()(const model::JobsExpanded& fact) {
    out_.mutable_jobs_expanded()->set_job(fact.expansion.job.value());
    ToWire(fact.expansion.values, out_.mutable_jobs_expanded()->mutable_values());
  }

 private:
  template <typename Event>
  Event* Attempt(const model::AttemptKey& key, Event* out) {
    out->set_job(key.job.value());
    out->set_attempt(key.attempt);
    return out;
  }

  pb::RunEvent& out_;
};

/// Makes the fact that an event tells of; checks every position against the outline.
class EventReader {
 public:
  explicit EventReader(const OutlinedRun& run) : run_(run) {}

  Found Read(const pb::RunEvent& event) {
    switch (event.body_case()) {
      case pb::RunEvent::kRunAccepted: {
        model::RunAccepted fact;
        fact.run = run_.run;
        fact.context = run_.context;
        fact.deadline = base::InstantFromMicros(event.run_accepted().deadline_at_us());
        return Made(std::move(fact));
      }
      case pb::RunEvent::kRunCancelRequested:
        return Made(model::RunCancelRequested{
            .run = run_.run,
            .kill = event.run_cancel_requested().kill(),
            .reason = ReasonOrNone(event.run_cancel_requested().reason())});
      case pb::RunEvent::kRunEnded:
        return Read(event.run_ended());
      case pb::RunEvent::kRunClosed:
        return Made(model::RunClosed{.run = run_.run});
      case pb::RunEvent::kJobReadied:
        return Read(event.job_readied());
      case pb::RunEvent::kJobWaitNoted:
        return Read(event.job_wait_noted());
      case pb::RunEvent::kJobBackedOff:
        return Read(event.job_backed_off());
      case pb::RunEvent::kJobEnded:
        return Read(event.job_ended());
      case pb::RunEvent::kAttemptAssigned:
        return Read(event.attempt_assigned());
      case pb::RunEvent::kAttemptStarted:
        return Read(event.attempt_started());
      case pb::RunEvent::kStepStarted:
        return Read(event.step_started());
      case pb::RunEvent::kStepEnded:
        return Read(event.step_ended());
      case pb::RunEvent::kAttemptStopRequested:
        return Read(event.attempt_stop_requested());
      case pb::RunEvent::kAttemptEnded:
        return Read(event.attempt_ended());
      case pb::RunEvent::kRunQueued:
        return Made(model::RunQueued{.run = run_.run,
                                     .ticket = 0,
                                     .claims = {},
                                     .reason = ReasonOrNone(event.run_queued().reason())});
      case pb::RunEvent::kRunAdmitted:
        return Made(model::RunAdmitted{.run = run_.run});
      case pb::RunEvent::kJobDelayed:
        return Read(event.job_delayed());
      case pb::RunEvent::kApprovalRequested:
        return Read(event.approval_requested());
      case pb::RunEvent::kApprovalDecided:
        return Read(event.approval_decided());
      case pb::RunEvent::kJobQueued:
        return Read(event.job_queued());
      case pb::RunEvent::kAttemptUnheard:
        return Read(event.attempt_unheard());
      case pb::RunEvent::kJobsExpanded:
        return Read(event.jobs_expanded());
      case pb::RunEvent::BODY_NOT_SET:
        break;
    }
    return std::optional<model::Fact>();
  }

 private:
  static Found Made(model::FactBody body) {
    return std::optional<model::Fact>(model::Fact{.at = {}, .body = std::move(body)});
  }

  base::StatusOr<model::JobIndex> Job(std::uint32_t job) const {
    if (job >= run_.plan->jobs.size()) {
      return base::InvalidArgument("event.job: {} of {}", job, run_.plan->jobs.size());
    }
    return model::JobIndex(job);
  }

  template <typename Event>
  base::StatusOr<model::AttemptKey> Key(const Event& event) const {
    ASSIGN_OR_RETURN(const model::JobIndex job, Job(event.job()));
    if (event.attempt() == 0) {
      return base::InvalidArgument("event.attempt: 0; they count from 1");
    }
    return model::AttemptKey{.run = run_.run, .job = job, .attempt = event.attempt()};
  }

  base::StatusOr<model::StepIndex> Step(model::JobIndex job, std::uint32_t step) const {
    if (model::StepAt(model::SpecOf(*run_.plan, job), model::StepIndex(step)) == nullptr) {
      return base::InvalidArgument("event.step: {}, which job {} has not", step,
                                   model::JobName(*run_.plan, job));
    }
    return model::StepIndex(step);
  }

  Found Read(const pb::RunEndedEvent& event) {
    model::RunEnded fact;
    fact.run = run_.run;
    ASSIGN_OR_RETURN(fact.status, StatusFrom(event.status(), "event.status"));
    fact.reason = ReasonOrNone(event.reason());
    ASSIGN_OR_RETURN(fact.counts, JobCountsFrom(event.counts(), "event.counts"));
    return Made(std::move(fact));
  }
  Found Read(const pb::JobReadiedEvent& event) {
    model::JobReadied fact;
    fact.run = run_.run;
    ASSIGN_OR_RETURN(fact.job, Job(event.job()));
    fact.attempt = event.attempt();
    fact.queue_deadline = base::InstantFromMicros(event.queue_deadline_at_us());
    return Made(std::move(fact));
  }
  Found Read(const pb::JobWaitNotedEvent& event) {
    ASSIGN_OR_RETURN(const model::JobIndex job, Job(event.job()));
    return Made(
        model::JobWaitNoted{.run = run_.run, .job = job, .reason = ReasonOrNone(event.reason())});
  }
  Found Read(const pb::JobBackedOffEvent& event) {
    model::JobBackedOff fact;
    fact.run = run_.run;
    ASSIGN_OR_RETURN(fact.job, Job(event.job()));
    fact.infra = event.infrastructure();
    fact.reason = ReasonOrNone(event.reason());
    fact.attempt = event.attempt();
    fact.author_retries = event.author_retries();
    fact.infra_retries = event.infrastructure_retries();
    return Made(std::move(fact));
  }
  Found Read(const pb::JobEndedEvent& event) {
    model::JobEnded fact;
    fact.run = run_.run;
    ASSIGN_OR_RETURN(fact.job, Job(event.job()));
    auto result = std::make_shared<model::JobResult>();
    ASSIGN_OR_RETURN(result->status, StatusFrom(event.status(), "event.status"));
    result->reason = ReasonOrNone(event.reason());
    result->outputs = NamedValuesFrom(event.outputs());
    ASSIGN_OR_RETURN(result->spilled, SpilledFrom(event.spilled()));
    for (const pb::Artifact& artifact : event.artifacts()) {
      auto each = ArtifactFrom(artifact);
      RETURN_IF_ERROR(Inside("event.artifacts", each.status()));
      result->artifacts.push_back(*std::move(each));
    }
    auto remarks = RemarksFrom(event.remarks());
    RETURN_IF_ERROR(Inside("event.remarks", remarks.status()));
    result->remarks = *std::move(remarks);
    fact.result = std::move(result);
    return Made(std::move(fact));
  }
  Found Read(const pb::AttemptAssignedEvent& event) {
    ASSIGN_OR_RETURN(const model::AttemptKey key, Key(event));
    return Made(model::AttemptAssigned{
        .lease = {.key = key, .worker = model::WorkerId(event.worker_id()), .session = {}}});
  }
  Found Read(const pb::AttemptStartedEvent& event) {
    ASSIGN_OR_RETURN(const model::AttemptKey key, Key(event));
    return Made(model::AttemptStarted{.key = key,
                                      .slot = event.slot(),
                                      .deadline = base::InstantFromMicros(event.deadline_at_us())});
  }
  Found Read(const pb::StepStartedEvent& event) {
    model::StepStarted fact;
    ASSIGN_OR_RETURN(fact.key, Key(event));
    ASSIGN_OR_RETURN(fact.step, Step(fact.key.job, event.step()));
    return Made(std::move(fact));
  }
  Found Read(const pb::StepEndedEvent& event) {
    model::StepEnded fact;
    ASSIGN_OR_RETURN(fact.key, Key(event));
    ASSIGN_OR_RETURN(fact.step, Step(fact.key.job, event.step()));
    ASSIGN_OR_RETURN(fact.status, StatusFrom(event.status(), "event.status"));
    fact.reason = ReasonOrNone(event.reason());
    fact.took = base::Duration(event.took_us());
    if (event.log_bytes() > 0) {
      fact.log.ranges.push_back({.segment = 0, .offset = 0, .length = event.log_bytes()});
    }
    fact.log.truncated = event.log_truncated();
    return Made(std::move(fact));
  }
  Found Read(const pb::AttemptStopRequestedEvent& event) {
    model::AttemptStopRequested fact;
    ASSIGN_OR_RETURN(fact.key, Key(event));
    fact.kill = event.kill();
    fact.reason = ReasonOrNone(event.reason());
    fact.deadline = base::InstantFromMicros(event.deadline_at_us());
    return Made(std::move(fact));
  }
  Found Read(const pb::AttemptEndedEvent& event) {
    model::AttemptEnded fact;
    ASSIGN_OR_RETURN(fact.key, Key(event));
    ASSIGN_OR_RETURN(fact.status, StatusFrom(event.status(), "event.status"));
    fact.infra = event.infrastructure();
    fact.reason = ReasonOrNone(event.reason());
    fact.took = base::Duration(event.took_us());
    return Made(std::move(fact));
  }

  Found Read(const pb::JobDelayedEvent& event) {
    ASSIGN_OR_RETURN(const model::JobIndex job, Job(event.job()));
    return Made(model::JobDelayed{
        .run = run_.run, .job = job, .until = base::InstantFromMicros(event.until_at_us())});
  }
  Found Read(const pb::ApprovalRequestedEvent& event) {
    model::ApprovalRequested fact;
    fact.run = run_.run;
    ASSIGN_OR_RETURN(fact.job, Job(event.job()));
    fact.attempt = event.attempt();
    fact.reason = ReasonOrNone(event.reason());
    fact.deadline = base::InstantFromMicros(event.deadline_at_us());
    return Made(std::move(fact));
  }
  Found Read(const pb::ApprovalDecidedEvent& event) {
    model::ApprovalDecided fact;
    fact.run = run_.run;
    ASSIGN_OR_RETURN(fact.job, Job(event.job()));
    fact.approved = event.approved();
    fact.approval = {.by = event.by(), .inputs = NamedValuesFrom(event.inputs())};
    return Made(std::move(fact));
  }
  Found Read(const pb::JobQueuedEvent& event) {
    model::JobQueued fact;
    fact.run = run_.run;
    ASSIGN_OR_RETURN(fact.job, Job(event.job()));
    fact.reason = ReasonOrNone(event.reason());
    fact.deadline = base::InstantFromMicros(event.deadline_at_us());
    fact.environment = event.environment();
    fact.environment_url = event.environment_url();
    return Made(std::move(fact));
  }
  Found Read(const pb::AttemptUnheardEvent& event) {
    ASSIGN_OR_RETURN(const model::AttemptKey key, Key(event));
    return Made(model::AttemptUnheard{.key = key,
                                      .deadline = base::InstantFromMicros(event.deadline_at_us())});
  }
  Found Read(const pb::JobsExpandedEvent& event) {
    model::JobsExpanded fact;
    fact.run = run_.run;
    fact.expansion.job = model::JobIndex(event.job());
    fact.expansion.values = NamedValuesFrom(event.values());
    if (!model::CanExpand(*run_.plan, fact.expansion)) {
      return base::InvalidArgument("event.jobs_expanded: does not fit job {} of {}", event.job(),
                                   run_.plan->jobs.size());
    }
    return Made(std::move(fact));
  }

  const OutlinedRun& run_;
};

}  // namespace

pb::RunEvent EventOf(const model::Fact& fact) {
  pb::RunEvent event;
  event.set_at_us(base::ToMicros(fact.at));
  std::visit(EventWriter(event), fact.body);
  return event;
}

base::StatusOr<std::optional<model::Fact>> FactOf(const pb::RunEvent& event,
                                                  const OutlinedRun& run) {
  ASSIGN_OR_RETURN(std::optional<model::Fact> fact, EventReader(run).Read(event));
  if (fact) {
    fact->at = base::InstantFromMicros(event.at_us());
  }
  return fact;
}

void ToWire(const JobCounts& counts, google::protobuf::RepeatedPtrField<pb::StatusCount>* out) {
  for (int i = 0; i < model::kStatusCount; ++i) {
    if (counts[static_cast<std::size_t>(i)] != 0) {
      pb::StatusCount* count = out->Add();
      count->set_status(ToWire(static_cast<model::Status>(i)));
      count->set_jobs(counts[static_cast<std::size_t>(i)]);
    }
  }
}

base::StatusOr<JobCounts> JobCountsFrom(
    const google::protobuf::RepeatedPtrField<pb::StatusCount>& counts, std::string_view field) {
  JobCounts out{};
  for (const pb::StatusCount& count : counts) {
    ASSIGN_OR_RETURN(const model::Status status, StatusFrom(count.status(), field));
    out[static_cast<std::size_t>(status)] = count.jobs();
  }
  return out;
}

}  // namespace api::wire
