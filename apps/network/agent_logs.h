// SPDX-License-Identifier: Apache-2.0
// The logs of an agent's steps on their way to its server: the shipper between the spool and the
// session. On the agent's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "agents/logs/log_shipper.h"
#include "api/wire/agent.pb.h"
#include "engine/base/status.h"
#include "engine/model/log_range.h"
#include "engine/model/log_state.h"
#include "store/logs/segment_reader.h"

namespace apps::network {

struct AgentLogsOptions {
  std::string spool;  ///< the folder with the segments; made when it is missing
  std::string notes;  ///< the file that says what is not with the server yet
  /// A `LogBatch` or `LogEnd` for the stream. What it does not take is sent again.
  std::function<void(dayfly::v1::AgentMessage)> send;
  /// The end of a log that `CutWhatRan` cuts, for the server behind the stream. Null: that is never
  /// called.
  std::function<void(const dayfly::v1::LogEnd&)> send_cut;
  /// Nothing is left that is not with the server for good.
  std::function<void()> on_done;
};

class AgentLogs {
 public:
  AgentLogs(boost::asio::io_context& io, AgentLogsOptions options);
  /// Before the first step is told of.
  engine::base::Status Open();

  void StepStarted(std::uint32_t slot, const engine::model::LogKey& log);
  /// Null: its end will never be told.
  void StepEnded(std::uint32_t slot, const engine::model::LogKey& key,
                 const engine::model::StepLog* log);

  /// As `LogShipper::CutWhatRan`.
  void CutWhatRan() { shipper_->CutWhatRan(); }

  /// Whether the stream is live.
  void Live(bool live);
  void Acknowledged(const dayfly::v1::LogAcknowledged& told);
  bool IsDone() const { return shipper_->IsDone(); }

 private:
  agents::logs::LogShipperOptions ShipperOptions();

  const AgentLogsOptions options_;
  store::logs::SegmentReader reader_;
  const std::unique_ptr<agents::logs::LogShipper> shipper_;
};

}  // namespace apps::network
