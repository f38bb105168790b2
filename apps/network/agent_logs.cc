// SPDX-License-Identifier: Apache-2.0
#include "apps/network/agent_logs.h"

#include <utility>

#include "api/wire/values.h"
#include "apps/state_dir.h"
#include "engine/base/log.h"

namespace apps::network {

namespace base = engine::base;
namespace logs = agents::logs;
namespace model = engine::model;
namespace pb = dayfly::v1;

namespace {

template <typename Message>
void Name(const model::LogKey& log, Message& message) {
  api::wire::ToWire(log.attempt, message.mutable_attempt());
  message.set_step(log.step.value());
}

pb::AgentMessage BatchOf(const model::LogKey& log, std::uint64_t offset, std::string bytes) {
  pb::AgentMessage message;
  pb::LogBatch& batch = *message.mutable_log_batch();
  Name(log, batch);
  batch.set_offset(offset);
  batch.set_data(std::move(bytes));
  return message;
}

pb::AgentMessage EndOf(const model::LogKey& log, const model::LogEnd& end) {
  pb::AgentMessage message;
  pb::LogEnd& out = *message.mutable_log_end();
  Name(log, out);
  out.set_length(end.length);
  out.set_checksum(end.checksum);
  out.set_truncated(end.truncated);
  for (const model::ByteRange& range : end.lost) {
    pb::LogLost* lost = out.add_lost();
    lost->set_offset(range.begin);
    lost->set_length(range.end - range.begin);
  }
  return message;
}

}  // namespace

AgentLogs::AgentLogs(boost::asio::io_context& io, AgentLogsOptions options)
    : options_(std::move(options)),
      reader_(options_.spool),
      shipper_(std::make_unique<logs::LogShipper>(io, ShipperOptions())) {}

logs::LogShipperOptions AgentLogs::ShipperOptions() {
  logs::LogShipperOptions options;
  options.folder = options_.spool;
  options.notes = options_.notes;
  options.spool = &reader_;
  options.send_bytes = [this](const model::LogKey& log, std::uint64_t offset, std::string bytes) {
    options_.send(BatchOf(log, offset, std::move(bytes)));
  };
  options.send_end = [this](const model::LogKey& log, const model::LogEnd& end) {
    const pb::AgentMessage message = EndOf(log, end);
    end.cut ? options_.send_cut(message.log_end()) : options_.send(message);
  };
  return options;
}

base::Status AgentLogs::Open() {
  RETURN_IF_ERROR(MakeFolders(options_.spool));
  return shipper_->Open();
}

void AgentLogs::StepStarted(std::uint32_t slot, const model::LogKey& log) {
  shipper_->StepStarted(slot, log);
}

void AgentLogs::StepEnded(std::uint32_t slot, const model::LogKey& key, const model::StepLog* log) {
  if (log != nullptr) {
    shipper_->StepEnded(slot, key, *log);
  } else {
    shipper_->StepLost(slot);
  }
}

void AgentLogs::Live(bool live) {
  live ? shipper_->Connected() : shipper_->Disconnected();
}

// A message that names no attempt was refused by the stream.
void AgentLogs::Acknowledged(const pb::LogAcknowledged& told) {
  const auto attempt = api::wire::AttemptKeyFrom(told.attempt());
  if (!attempt.ok()) {
    return;
  }
  const model::LogKey log{.attempt = *attempt, .step = model::StepIndex(told.step())};
  if (told.unwanted()) {
    spdlog::warn("the server does not want the log of step {} of {}", told.step() + 1,
                 ToText(attempt->run));
  }
  shipper_->Answered(log, {.received = told.received(),
                           .archived = told.archived(),
                           .complete = told.complete(),
                           .unwanted = told.unwanted()});
  if (IsDone()) {
    options_.on_done();
  }
}

}  // namespace apps::network
