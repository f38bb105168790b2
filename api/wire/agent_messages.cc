// SPDX-License-Identifier: Apache-2.0
#include "api/wire/agent_messages.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "api/wire/assignment.h"
#include "api/wire/reports.h"
#include "api/wire/values.h"
#include "engine/base/overloaded.h"

namespace api::wire {

namespace base = engine::base;
namespace model = engine::model;

namespace {

constexpr std::uint32_t kSlotsMax = 1024;
constexpr std::uint32_t kAheadMax = 64;
constexpr std::size_t kVersionBytesMax = 64;
constexpr int kRefusalsMax = 100'000;

void ToWire(const model::OrderMark& mark, pb::OrderMark* out) {
  out->set_life(mark.life);
  out->set_seq(mark.seq);
}
model::OrderMark MarkFrom(const pb::OrderMark& mark) {
  return {.life = mark.life(), .seq = mark.seq()};
}

// ---- from the agent

void Put(const model::WorkerOffer& offer, pb::WorkerOffer* out) {
  for (const model::Label& label : offer.labels) {
    pb::WorkerLabel* entry = out->add_labels();
    entry->set_name(label.name);
    entry->set_value(label.value);
  }
  for (const model::SandboxOffer& sandbox : offer.sandboxes) {
    pb::SandboxOffer* entry = out->add_sandboxes();
    entry->set_kind(static_cast<pb::SandboxOffer::Kind>(sandbox.kind));
    entry->set_cuts_network(sandbox.cuts_network);
  }
  out->set_cpu_millis(offer.resources.cpu_millis);
  out->set_memory_bytes(offer.resources.memory);
  out->set_disk_bytes(offer.resources.disk);
  out->set_gpus(offer.resources.gpus);
}

base::StatusOr<std::vector<model::Label>> LabelsFrom(const pb::WorkerOffer& offer) {
  if (offer.labels_size() > static_cast<int>(model::kLabelsMax)) {
    return BadField("offer.labels", "must be at most 64");
  }
  std::vector<model::Label> labels;
  for (const pb::WorkerLabel& label : offer.labels()) {
    if (!model::IsLabelName(label.name()) || !model::IsLabelValue(label.value())) {
      return BadField("offer.labels", "must have a name and a value of 1 to 100 printable bytes");
    }
    labels.push_back({.name = label.name(), .value = label.value()});
  }
  std::ranges::sort(labels);
  const auto same_name = [](const model::Label& a, const model::Label& b) {
    return a.name == b.name;
  };
  if (std::ranges::adjacent_find(labels, same_name) != labels.end()) {
    return BadField("offer.labels", "must not hold a name twice");
  }
  return labels;
}

base::StatusOr<model::WorkerOffer> OfferFrom(const pb::WorkerOffer& offer) {
  model::WorkerOffer out;
  ASSIGN_OR_RETURN(out.labels, LabelsFrom(offer));
  out.sandboxes.clear();
  for (const pb::SandboxOffer& sandbox : offer.sandboxes()) {
    if (sandbox.kind() != pb::SandboxOffer::UNKNOWN &&
        pb::SandboxOffer::Kind_IsValid(sandbox.kind())) {
      out.sandboxes.push_back({.kind = static_cast<model::SandboxKind>(sandbox.kind()),
                               .cuts_network = sandbox.cuts_network()});
    }
  }
  out.resources = {.cpu_millis = offer.cpu_millis(),
                   .memory = offer.memory_bytes(),
                   .disk = offer.disk_bytes(),
                   .gpus = offer.gpus()};
  return out;
}

void Put(const model::AgentHello& hello, pb::Hello* out) {
  out->set_session_id(hello.session.value());
  out->set_slots(hello.slots);
  out->set_ahead_max(hello.ahead_max);
  ToWire(hello.orders_received, out->mutable_orders_received());
  out->set_first_report(hello.first_report);
  out->set_draining(hello.draining);
  out->set_version(hello.version);
  out->set_report_life(hello.report_life);
  for (const model::RunId run : hello.runs) {
    out->add_run_ids(run.value());
  }
  Put(hello.offer, out->mutable_offer());
}

std::vector<model::RunId> RunsFrom(const google::protobuf::RepeatedField<std::uint64_t>& ids) {
  std::vector<model::RunId> runs;
  for (const std::uint64_t id : ids) {
    runs.emplace_back(id);
  }
  return runs;
}

base::StatusOr<model::AgentMessage> HelloFrom(const pb::Hello& hello) {
  if (hello.slots() == 0 || hello.slots() > kSlotsMax) {
    return BadField("slots", "must be 1 to 1024");
  }
  if (hello.ahead_max() > kAheadMax) {
    return BadField("ahead_max", "must be at most 64");
  }
  if (hello.first_report() == 0) {
    return BadField("first_report", "counts from 1");
  }
  if (hello.version().size() > kVersionBytesMax) {
    return BadField("version", "must be at most 64 bytes");
  }
  if (hello.report_life() == 0) {
    return BadField("report_life", "is missing");
  }
  if (hello.run_ids_size() > static_cast<int>(model::kHelloRunsMax)) {
    return BadField("run_ids", "must be at most 65536");
  }
  model::WorkerOffer offer;
  if (hello.has_offer()) {
    ASSIGN_OR_RETURN(offer, OfferFrom(hello.offer()));
  }
  return model::AgentMessage(model::AgentHello{.session = model::SessionId(hello.session_id()),
                                               .slots = hello.slots(),
                                               .ahead_max = hello.ahead_max(),
                                               .orders_received = MarkFrom(hello.orders_received()),
                                               .report_life = hello.report_life(),
                                               .first_report = hello.first_report(),
                                               .draining = hello.draining(),
                                               .version = hello.version(),
                                               .runs = RunsFrom(hello.run_ids()),
                                               .offer = std::move(offer)});
}

base::StatusOr<model::AgentMessage> Wrapped(base::StatusOr<model::NumberedReport> report) {
  RETURN_IF_ERROR(report.status());
  return model::AgentMessage(*std::move(report));
}

// ---- from the server

void Put(const model::ServerWelcome& welcome, pb::Welcome* out) {
  out->set_session_id(welcome.session.value());
  out->set_resumed(welcome.resumed);
  out->set_reports_received(welcome.reports_received);
  out->set_offline_us(welcome.offline.count());
  out->set_heartbeat_us(welcome.heartbeat.count());
  out->set_order_life(welcome.order_life);
  out->set_first_order(welcome.first_order);
}

base::StatusOr<model::ServerMessage> WelcomeFrom(const pb::Welcome& welcome) {
  if (welcome.session_id() == 0) {
    return BadField("session_id", "is missing");
  }
  if (welcome.first_order() == 0) {
    return BadField("first_order", "counts from 1");
  }
  model::ServerWelcome out{.session = model::SessionId(welcome.session_id()),
                           .resumed = welcome.resumed(),
                           .reports_received = welcome.reports_received(),
                           .order_life = welcome.order_life(),
                           .first_order = welcome.first_order()};
  ASSIGN_OR_RETURN(out.offline, DurationFrom(welcome.offline_us(), "offline_us"));
  ASSIGN_OR_RETURN(out.heartbeat, DurationFrom(welcome.heartbeat_us(), "heartbeat_us"));
  return model::ServerMessage(out);
}

void Put(const model::StopAttempt& stop, pb::StopOrder* out) {
  wire::ToWire(stop.lease.key, out->mutable_attempt());
  out->set_kill(stop.kill);
  wire::ToWire(stop.reason, out->mutable_reason());
  out->set_grace_us(stop.grace.count());
}

base::StatusOr<model::AgentOrder> StopFrom(const pb::StopOrder& stop) {
  model::StopAttempt out;
  auto key = AttemptKeyFrom(stop.attempt());
  RETURN_IF_ERROR(Inside("attempt", key.status()));
  out.lease.key = *key;
  out.kill = stop.kill();
  auto reason = ReasonFrom(stop.reason());
  RETURN_IF_ERROR(Inside("reason", reason.status()));
  out.reason = *std::move(reason);
  ASSIGN_OR_RETURN(out.grace, DurationFrom(stop.grace_us(), "grace_us"));
  return model::AgentOrder(std::move(out));
}

void Put(const model::NumberedOrder& numbered, pb::Order* out) {
  out->set_seq(numbered.seq);
  std::visit(
      base::Overloaded{
          [&](const model::Assignment& order) { wire::ToWire(order, out->mutable_assignment()); },
          [&](const model::StopAttempt& order) { Put(order, out->mutable_stop()); },
          [&](const model::DrainAgent& order) {
            out->mutable_drain()->set_stop_attempts(order.stop_attempts);
          },
          [&](const model::ForgetRun& order) {
            out->mutable_forget_run()->set_run_id(order.run.value());
          }},
      numbered.order);
}

base::StatusOr<model::AgentOrder> OrderBodyFrom(const pb::Order& order) {
  switch (order.body_case()) {
    case pb::Order::kAssignment: {
      auto assignment = AssignmentFrom(order.assignment());
      RETURN_IF_ERROR(Inside("assignment", assignment.status()));
      return model::AgentOrder(*std::move(assignment));
    }
    case pb::Order::kStop: {
      auto stop = StopFrom(order.stop());
      RETURN_IF_ERROR(Inside("stop", stop.status()));
      return stop;
    }
    case pb::Order::kDrain:
      return model::AgentOrder(model::DrainAgent{order.drain().stop_attempts()});
    case pb::Order::kForgetRun:
      return model::AgentOrder(model::ForgetRun{model::RunId(order.forget_run().run_id())});
    case pb::Order::BODY_NOT_SET:
      break;
  }
  return BadField("body", "is missing or not known here");
}

base::StatusOr<model::ServerMessage> OrderFrom(const pb::Order& order) {
  if (order.seq() == 0) {
    return BadField("seq", "counts from 1");
  }
  ASSIGN_OR_RETURN(model::AgentOrder body, OrderBodyFrom(order));
  return model::ServerMessage(model::NumberedOrder{.seq = order.seq(), .order = std::move(body)});
}

void Put(const model::ReportsAcknowledged& acknowledged, pb::Acknowledged* out) {
  out->set_seq(acknowledged.seq);
  for (const model::RefusedReport& refused : acknowledged.refused) {
    pb::ReportRefusal* entry = out->add_refusals();
    entry->set_seq(refused.seq);
    wire::ToWire(refused.attempt, entry->mutable_attempt());
    entry->set_code(static_cast<pb::ReportRefusal::Code>(refused.verdict));
    entry->set_message(refused.message);
  }
}

base::StatusOr<model::RefusedReport> RefusedFrom(const pb::ReportRefusal& refusal) {
  if (refusal.code() < pb::ReportRefusal::STALE || refusal.code() > pb::ReportRefusal::INVALID) {
    return BadField("code", "is none that is known");
  }
  auto key = AttemptKeyFrom(refusal.attempt());
  RETURN_IF_ERROR(Inside("attempt", key.status()));
  return model::RefusedReport{.seq = refusal.seq(),
                              .attempt = *key,
                              .verdict = static_cast<model::ReportVerdict>(refusal.code()),
                              .message = refusal.message()};
}

base::StatusOr<model::ServerMessage> AcknowledgedFrom(const pb::Acknowledged& acknowledged) {
  if (acknowledged.refusals_size() > kRefusalsMax) {
    return BadField("refusals", "are too many");
  }
  model::ReportsAcknowledged out{.seq = acknowledged.seq(), .refused = {}};
  for (int i = 0; i < acknowledged.refusals_size(); ++i) {
    auto refused = RefusedFrom(acknowledged.refusals(i));
    RETURN_IF_ERROR(Inside("refusals", i, refused.status()));
    out.refused.push_back(*std::move(refused));
  }
  return model::ServerMessage(std::move(out));
}

// ---- logs

base::Status CheckBatch(const pb::LogBatch& batch) {
  RETURN_IF_ERROR(Inside("attempt", AttemptKeyFrom(batch.attempt()).status()));
  if (batch.data().empty() || batch.data().size() > kLogBatchBytesMax) {
    return BadField("data", "must be 1 byte to 256 KiB");
  }
  if (batch.offset() > UINT64_MAX - batch.data().size()) {
    return BadField("offset", "is too large");
  }
  return base::OkStatus();
}

base::Status CheckEnd(const pb::LogEnd& end) {
  RETURN_IF_ERROR(Inside("attempt", AttemptKeyFrom(end.attempt()).status()));
  std::uint64_t from = 0;
  for (const pb::LogLost& lost : end.lost()) {
    if (lost.offset() < from || lost.offset() > end.length() ||
        lost.length() > end.length() - lost.offset()) {
      return BadField("lost", "must be in order and within the log");
    }
    from = lost.offset() + lost.length();
  }
  return base::OkStatus();
}

}  // namespace

void ToWire(const model::AgentMessage& message, pb::AgentMessage* out) {
  std::visit(base::Overloaded{
                 [&](const model::AgentHello& body) { Put(body, out->mutable_hello()); },
                 [&](const model::AgentBegin& body) {
                   out->mutable_begin()->set_session_id(body.session.value());
                 },
                 [&](const model::AgentHeartbeat& body) {
                   ToWire(body.orders_received,
                          out->mutable_heartbeat()->mutable_orders_received());
                   out->mutable_heartbeat()->set_sent(body.sent);
                   out->mutable_heartbeat()->set_session_id(body.session.value());
                 },
                 [&](const model::NumberedReport& body) { ToWire(body, out->mutable_report()); },
                 [&](const model::AgentDrainWanted& /*body*/) { out->mutable_drain(); }},
             message);
}

base::StatusOr<model::AgentMessage> AgentMessageFrom(const pb::AgentMessage& message) {
  base::StatusOr<model::AgentMessage> out = BadField("body", "is missing or not known here");
  const char* field = "";
  switch (message.body_case()) {
    case pb::AgentMessage::kHello:
      out = HelloFrom(message.hello());
      field = "hello";
      break;
    case pb::AgentMessage::kBegin:
      return model::AgentMessage(model::AgentBegin{model::SessionId(message.begin().session_id())});
    case pb::AgentMessage::kHeartbeat:
      return model::AgentMessage(
          model::AgentHeartbeat{.orders_received = MarkFrom(message.heartbeat().orders_received()),
                                .sent = message.heartbeat().sent(),
                                .session = model::SessionId(message.heartbeat().session_id())});
    case pb::AgentMessage::kReport:
      out = Wrapped(ReportFrom(message.report()));
      field = "report";
      break;
    case pb::AgentMessage::kDrain:
      return model::AgentMessage(model::AgentDrainWanted{});
    case pb::AgentMessage::kLogBatch:
    case pb::AgentMessage::kLogEnd:
    case pb::AgentMessage::BODY_NOT_SET:
      return out;
  }
  RETURN_IF_ERROR(Inside(field, out.status()));
  return out;
}

void ToWire(const model::ServerMessage& message, pb::ServerMessage* out) {
  std::visit(
      base::Overloaded{
          [&](const model::ServerWelcome& body) { Put(body, out->mutable_welcome()); },
          [&](const model::NumberedOrder& body) { Put(body, out->mutable_order()); },
          [&](const model::ServerHeartbeat& body) {
            out->mutable_heartbeat()->set_sent(body.sent);
          },
          [&](const model::ReportsAcknowledged& body) { Put(body, out->mutable_acknowledged()); }},
      message);
}

base::StatusOr<model::ServerMessage> ServerMessageFrom(const pb::ServerMessage& message) {
  base::StatusOr<model::ServerMessage> out = BadField("body", "is missing or not known here");
  const char* field = "";
  switch (message.body_case()) {
    case pb::ServerMessage::kWelcome:
      out = WelcomeFrom(message.welcome());
      field = "welcome";
      break;
    case pb::ServerMessage::kOrder:
      out = OrderFrom(message.order());
      field = "order";
      break;
    case pb::ServerMessage::kHeartbeat:
      return model::ServerMessage(model::ServerHeartbeat{.sent = message.heartbeat().sent()});
    case pb::ServerMessage::kAcknowledged:
      out = AcknowledgedFrom(message.acknowledged());
      field = "acknowledged";
      break;
    case pb::ServerMessage::kLogAcknowledged:
    case pb::ServerMessage::BODY_NOT_SET:
      return out;
  }
  RETURN_IF_ERROR(Inside(field, out.status()));
  return out;
}

bool IsLogMessage(const pb::AgentMessage& message) {
  return message.has_log_batch() || message.has_log_end();
}

bool IsLogMessage(const pb::ServerMessage& message) {
  return message.has_log_acknowledged();
}

base::Status CheckLogMessage(const pb::AgentMessage& message) {
  return message.has_log_batch() ? Inside("log_batch", CheckBatch(message.log_batch()))
                                 : Inside("log_end", CheckEnd(message.log_end()));
}

base::Status CheckLogMessage(const pb::ServerMessage& message) {
  const pb::LogAcknowledged& acknowledged = message.log_acknowledged();
  if (acknowledged.archived() > acknowledged.received()) {
    return BadField("log_acknowledged.archived", "is beyond what was received");
  }
  return Inside("log_acknowledged",
                Inside("attempt", AttemptKeyFrom(acknowledged.attempt()).status()));
}

}  // namespace api::wire
