// SPDX-License-Identifier: Apache-2.0
#include "api/wire/reports.h"

#include <utility>

#include "api/wire/values.h"
#include "engine/base/overloaded.h"

namespace api::wire {

namespace base = engine::base;
namespace model = engine::model;

namespace {

constexpr int kEventsMax = 4096;
constexpr int kRangesMax = 65536;

void ToWire(const model::StepLog& log, pb::StepLog* out) {
  for (const model::LogRange& range : log.ranges) {
    pb::LogRange* entry = out->add_ranges();
    entry->set_segment(range.segment);
    entry->set_offset(range.offset);
    entry->set_length(range.length);
  }
  out->set_checksum(log.checksum);
  out->set_truncated(log.truncated);
  out->set_lost_bytes(log.lost_bytes);
}

base::StatusOr<model::StepLog> LogFrom(const pb::StepLog& log) {
  if (log.ranges_size() > kRangesMax) {
    return BadField("ranges", "are too many");
  }
  model::StepLog out;
  for (const pb::LogRange& range : log.ranges()) {
    out.ranges.push_back(
        {.segment = range.segment(), .offset = range.offset(), .length = range.length()});
  }
  out.checksum = log.checksum();
  out.truncated = log.truncated();
  out.lost_bytes = log.lost_bytes();
  return out;
}

void ToWire(const model::ReportStepEnded& report, pb::ReportStepEnded* out) {
  out->set_step(report.step.value());
  out->set_status(wire::ToWire(report.status));
  if (report.reason != model::Reason{}) {
    wire::ToWire(report.reason, out->mutable_reason());
  }
  out->set_took_us(report.took.count());
  if (report.log != model::StepLog{}) {
    ToWire(report.log, out->mutable_log());
  }
}

base::StatusOr<model::Report> StepEndedFrom(const pb::ReportStepEnded& report) {
  model::ReportStepEnded out;
  out.step = model::StepIndex(report.step());
  ASSIGN_OR_RETURN(out.status, StatusFrom(report.status(), "status"));
  auto reason = ReasonFrom(report.reason());
  RETURN_IF_ERROR(Inside("reason", reason.status()));
  out.reason = *std::move(reason);
  ASSIGN_OR_RETURN(out.took, DurationFrom(report.took_us(), "took_us"));
  auto log = LogFrom(report.log());
  RETURN_IF_ERROR(Inside("log", log.status()));
  out.log = *std::move(log);
  return model::Report(std::move(out));
}

void ToWire(const model::ReportEnded& report, pb::ReportEnded* out) {
  out->set_status(wire::ToWire(report.status));
  out->set_infrastructure(report.infra);
  if (report.reason != model::Reason{}) {
    wire::ToWire(report.reason, out->mutable_reason());
  }
  out->set_took_us(report.took.count());
  wire::ToWire(report.outputs, out->mutable_outputs());
  wire::ToWire(report.spilled, out->mutable_spilled());
  for (const model::Artifact& artifact : report.artifacts) {
    wire::ToWire(artifact, out->add_artifacts());
  }
  if (!report.remarks.empty()) {
    wire::ToWire(report.remarks, out->mutable_remarks());
  }
}

base::StatusOr<model::Report> EndedFrom(const pb::ReportEnded& report) {
  model::ReportEnded out;
  ASSIGN_OR_RETURN(out.status, StatusFrom(report.status(), "status"));
  out.infra = report.infrastructure();
  auto reason = ReasonFrom(report.reason());
  RETURN_IF_ERROR(Inside("reason", reason.status()));
  out.reason = *std::move(reason);
  ASSIGN_OR_RETURN(out.took, DurationFrom(report.took_us(), "took_us"));
  out.outputs = NamedValuesFrom(report.outputs());
  ASSIGN_OR_RETURN(out.spilled, SpilledFrom(report.spilled()));
  for (int i = 0; i < report.artifacts_size(); ++i) {
    auto artifact = ArtifactFrom(report.artifacts(i));
    RETURN_IF_ERROR(Inside("artifacts", i, artifact.status()));
    out.artifacts.push_back(*std::move(artifact));
  }
  auto remarks = RemarksFrom(report.remarks());
  RETURN_IF_ERROR(Inside("remarks", remarks.status()));
  out.remarks = *std::move(remarks);
  return model::Report(std::move(out));
}

base::StatusOr<model::Report> EventFrom(const pb::ReportEvent& event) {
  switch (event.body_case()) {
    case pb::ReportEvent::kStarted:
      return model::Report(model::ReportStarted{.slot = event.started().slot()});
    case pb::ReportEvent::kStepStarted:
      return model::Report(
          model::ReportStepStarted{.step = model::StepIndex(event.step_started().step())});
    case pb::ReportEvent::kStepEnded: {
      auto report = StepEndedFrom(event.step_ended());
      RETURN_IF_ERROR(Inside("step_ended", report.status()));
      return report;
    }
    case pb::ReportEvent::kEnded: {
      auto report = EndedFrom(event.ended());
      RETURN_IF_ERROR(Inside("ended", report.status()));
      return report;
    }
    case pb::ReportEvent::BODY_NOT_SET:
      break;
  }
  return BadField("body", "is missing or not known here");
}

void ToWire(const model::Report& report, pb::ReportEvent* out) {
  std::visit(
      base::Overloaded{
          [&](const model::ReportStarted& body) { out->mutable_started()->set_slot(body.slot); },
          [&](const model::ReportStepStarted& body) {
            out->mutable_step_started()->set_step(body.step.value());
          },
          [&](const model::ReportStepEnded& body) { ToWire(body, out->mutable_step_ended()); },
          [&](const model::ReportEnded& body) { ToWire(body, out->mutable_ended()); }},
      report);
}

}  // namespace

void ToWire(const model::NumberedReport& report, pb::Report* out) {
  out->set_seq(report.seq);
  ToWire(report.report.lease.key, out->mutable_attempt());
  for (const model::Report& each : report.report.reports) {
    ToWire(each, out->add_events());
  }
}

base::StatusOr<model::NumberedReport> ReportFrom(const pb::Report& report) {
  if (report.seq() == 0) {
    return BadField("seq", "counts from 1");
  }
  if (report.events_size() == 0 || report.events_size() > kEventsMax) {
    return BadField("events", "must be 1 to 4096");
  }
  model::NumberedReport out{.seq = report.seq(), .report = {}};
  auto key = AttemptKeyFrom(report.attempt());
  RETURN_IF_ERROR(Inside("attempt", key.status()));
  out.report.lease.key = *key;
  for (int i = 0; i < report.events_size(); ++i) {
    auto event = EventFrom(report.events(i));
    RETURN_IF_ERROR(Inside("events", i, event.status()));
    out.report.reports.push_back(*std::move(event));
  }
  return out;
}

}  // namespace api::wire
