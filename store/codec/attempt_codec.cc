// SPDX-License-Identifier: Apache-2.0
#include "store/codec/attempt_codec.h"

#include <utility>

#include "engine/base/overloaded.h"
#include "store/codec/attempt.pb.h"
#include "store/codec/plan_codec.h"
#include "store/codec/values.h"

namespace store::codec {
namespace {

using base::StatusOr;

/// Reasons stand alone here: their times count from 1970.
constexpr base::Instant kEpoch{};

void PutLease(const model::Lease& lease, pb::Lease* out) {
  out->set_run(lease.key.run.value());
  out->set_job(lease.key.job.value());
  out->set_attempt(lease.key.attempt);
  out->set_worker(lease.worker.value());
  out->set_session(lease.session.value());
}

model::Lease GetLease(const pb::Lease& in) {
  return {.key = {.run = model::RunId(in.run()),
                  .job = model::JobIndex(in.job()),
                  .attempt = in.attempt()},
          .worker = model::WorkerId(in.worker()),
          .session = model::SessionId(in.session())};
}

template <typename Message>
model::Reason Why(const Message& in) {
  return in.has_reason() ? GetReason(in.reason(), kEpoch) : model::Reason{};
}

void PutStepEnded(const model::ReportStepEnded& report, pb::StepEnded* out) {
  out->set_step(report.step.value());
  out->set_status(static_cast<std::uint32_t>(report.status));
  if (HasReason(report.reason)) {
    PutReason(report.reason, kEpoch, out->mutable_reason());
  }
  out->set_took(report.took.count());
  PutLog(report.log, out);
}

StatusOr<model::ReportStepEnded> GetStepEnded(const pb::StepEnded& in) {
  model::ReportStepEnded out;
  out.step = model::StepIndex(in.step());
  ASSIGN_OR_RETURN(out.status, GetStatus(in.status()));
  out.reason = Why(in);
  out.took = base::Duration(in.took());
  out.log = GetLog(in);
  return out;
}

void PutEnded(const model::ReportEnded& report, pb::AttemptResult* out) {
  pb::AttemptEnded* end = out->mutable_end();
  end->set_status(static_cast<std::uint32_t>(report.status));
  end->set_infra(report.infra);
  if (HasReason(report.reason)) {
    PutReason(report.reason, kEpoch, end->mutable_reason());
  }
  end->set_took(report.took.count());
  model::JobResult left;
  left.outputs = report.outputs;
  left.spilled = report.spilled;
  left.artifacts = report.artifacts;
  left.remarks = report.remarks;
  PutResult(left, kEpoch, out->mutable_left());
}

StatusOr<model::ReportEnded> GetEnded(const pb::AttemptResult& in) {
  model::ReportEnded out;
  ASSIGN_OR_RETURN(out.status, GetStatus(in.end().status()));
  out.infra = in.end().infra();
  out.reason = Why(in.end());
  out.took = base::Duration(in.end().took());
  ASSIGN_OR_RETURN(model::JobResult left, GetResult(in.left(), kEpoch));
  out.outputs = std::move(left.outputs);
  out.spilled = std::move(left.spilled);
  out.artifacts = std::move(left.artifacts);
  out.remarks = std::move(left.remarks);
  return out;
}

void PutOne(const model::Report& report, pb::Report* out) {
  std::visit(
      base::Overloaded{
          [&](const model::ReportStarted& r) { out->mutable_started()->set_slot(r.slot); },
          [&](const model::ReportStepStarted& r) {
            out->mutable_step_started()->set_step(r.step.value());
          },
          [&](const model::ReportStepEnded& r) { PutStepEnded(r, out->mutable_step_ended()); },
          [&](const model::ReportEnded& r) { PutEnded(r, out->mutable_ended()); }},
      report);
}

StatusOr<model::Report> GetOne(const pb::Report& in) {
  switch (in.body_case()) {
    case pb::Report::kStarted:
      return model::Report(model::ReportStarted{.slot = in.started().slot()});
    case pb::Report::kStepStarted:
      return model::Report(
          model::ReportStepStarted{.step = model::StepIndex(in.step_started().step())});
    case pb::Report::kStepEnded: {
      ASSIGN_OR_RETURN(model::ReportStepEnded ended, GetStepEnded(in.step_ended()));
      return model::Report(std::move(ended));
    }
    case pb::Report::kEnded: {
      ASSIGN_OR_RETURN(model::ReportEnded ended, GetEnded(in.ended()));
      return model::Report(std::move(ended));
    }
    case pb::Report::BODY_NOT_SET:
      break;
  }
  return base::DataLoss("a report of no known kind");
}

void PutNeed(const model::NeedResult& need, pb::NeedResult* out) {
  out->set_spec(need.spec.value());
  out->set_status(static_cast<std::uint32_t>(need.status));
  for (const std::shared_ptr<const model::JobResult>& result : need.results) {
    PutResult(result != nullptr ? *result : model::JobResult{}, kEpoch, out->add_results());
  }
}

StatusOr<model::NeedResult> GetNeed(const pb::NeedResult& in) {
  model::NeedResult out;
  out.spec = model::SpecIndex(in.spec());
  ASSIGN_OR_RETURN(out.status, GetStatus(in.status()));
  for (const pb::JobResult& each : in.results()) {
    ASSIGN_OR_RETURN(model::JobResult result, GetResult(each, kEpoch));
    out.results.push_back(std::make_shared<const model::JobResult>(std::move(result)));
  }
  return out;
}

StatusOr<std::shared_ptr<const model::Plan>> PlanOf(const pb::Assignment& in) {
  ASSIGN_OR_RETURN(model::PlanRef plan, DecodePlan(in.plan()));
  if (in.job() >= plan->jobs.size()) {
    return base::DataLoss("an assignment of job {} of a plan that has {}", in.job(),
                          plan->jobs.size());
  }
  return plan;
}

}  // namespace

std::string EncodeAssignment(const model::Assignment& assignment) {
  pb::Assignment out;
  PutLease(assignment.lease, out.mutable_lease());
  out.set_plan(EncodePlan(*assignment.plan));
  out.set_job(assignment.job.value());
  PutContext(*assignment.context, out.mutable_context());
  if (assignment.run_env != nullptr) {
    PutValues(*assignment.run_env, out.mutable_run_env());
  }
  PutValues(assignment.job_env, out.mutable_job_env());
  for (const model::NeedResult& need : assignment.needs) {
    PutNeed(need, out.add_needs());
  }
  out.set_timeout(assignment.timeout.count());
  out.set_grace(assignment.grace.count());
  out.set_finally_budget(assignment.finally_budget.count());
  out.set_run_cancelled(assignment.run_cancelled);
  out.set_effect_may_be_done(assignment.effect_may_be_done);
  if (assignment.approval) {
    PutApproval(*assignment.approval, out.mutable_approval());
  }
  return out.SerializeAsString();
}

StatusOr<model::Assignment> DecodeAssignment(std::string_view bytes) {
  pb::Assignment in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return base::DataLoss("an assignment is damaged");
  }
  model::Assignment out;
  out.lease = GetLease(in.lease());
  ASSIGN_OR_RETURN(out.plan, PlanOf(in));
  out.job = model::JobIndex(in.job());
  out.context = std::make_shared<const model::RunContext>(GetContext(in.context()));
  out.run_env = std::make_shared<const std::vector<model::NamedValue>>(GetValues(in.run_env()));
  out.job_env = GetValues(in.job_env());
  for (const pb::NeedResult& each : in.needs()) {
    ASSIGN_OR_RETURN(model::NeedResult need, GetNeed(each));
    out.needs.push_back(std::move(need));
  }
  out.timeout = base::Duration(in.timeout());
  out.grace = base::Duration(in.grace());
  out.finally_budget = base::Duration(in.finally_budget());
  out.run_cancelled = in.run_cancelled();
  out.effect_may_be_done = in.effect_may_be_done();
  if (in.has_approval()) {
    out.approval = GetApproval(in.approval());
  }
  return out;
}

std::string EncodeReport(const model::AttemptReported& report) {
  pb::AttemptReport out;
  PutLease(report.lease, out.mutable_lease());
  for (const model::Report& each : report.reports) {
    PutOne(each, out.add_reports());
  }
  return out.SerializeAsString();
}

StatusOr<model::AttemptReported> DecodeReport(std::string_view bytes) {
  pb::AttemptReport in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return base::DataLoss("a report is damaged");
  }
  model::AttemptReported out;
  out.lease = GetLease(in.lease());
  for (const pb::Report& each : in.reports()) {
    ASSIGN_OR_RETURN(model::Report report, GetOne(each));
    out.reports.push_back(std::move(report));
  }
  return out;
}

}  // namespace store::codec
