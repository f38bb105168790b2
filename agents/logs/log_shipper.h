// SPDX-License-Identifier: Apache-2.0
// Brings what the keepers of a worker write to the server, and removes it from the spool once the
// server has archived it. Told by the agent which steps run and have ended, and by the session what
// the server said; everything on the `io_context`'s thread. Files are read there, too: they were
// written a moment ago. What is not yet with the server survives the agent (`unshipped.h`).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agents/logs/shipping_policy.h"
#include "agents/logs/spool_folder.h"
#include "agents/logs/unshipped.h"
#include "engine/base/status.h"
#include "engine/ports/log_source.h"

namespace agents::logs {

struct LogShipperOptions {
  std::string folder;                         ///< with the segments; exists
  std::string notes;                          ///< the file of `Unshipped`, in another folder
  engine::ports::LogSource* spool = nullptr;  ///< reads them
  /// Both only while connected. At most `ShippingOptions::window_bytes` are given and not answered.
  std::function<void(const engine::model::LogKey&, std::uint64_t offset, std::string bytes)>
      send_bytes;
  std::function<void(const engine::model::LogKey&, const engine::model::LogEnd&)> send_end;
  ShippingOptions shipping;
};

class LogShipper {
 public:
  LogShipper(boost::asio::io_context& io, LogShipperOptions options);
  ~LogShipper();
  LogShipper(const LogShipper&) = delete;
  LogShipper& operator=(const LogShipper&) = delete;

  /// Takes up what an earlier agent left, and begins to watch the folder. A restarted agent tells
  /// of its running steps before it serves the `io_context`.
  engine::base::Status Open();

  /// A step runs in `slot`; an adopted one as well. A slot runs one at a time.
  void StepStarted(std::uint32_t slot, const engine::model::LogKey& log);
  /// It has ended and its log, which is durable in the spool, is `log`. Before the next one starts.
  void StepEnded(std::uint32_t slot, const engine::model::LogKey& key,
                 const engine::model::StepLog& log);
  /// The step's end will never be told (its keeper died): what was sent is all.
  void StepLost(std::uint32_t slot);
  /// In place of an agent that is gone with all its keepers, after `Open`: of the steps that ran,
  /// what the spool has is all. Their ends are told as cut.
  void CutWhatRan();

  void Connected();
  void Disconnected();
  void Answered(const engine::model::LogKey& log, const LogAnswer& answer);

  /// Everything that ended is with the server for good: a draining agent may leave.
  bool IsDone() const { return unshipped_.logs().empty() && running_.empty(); }

 private:
  struct Running {
    engine::model::LogKey key;
    engine::model::StepLog log;  ///< what is known of it; without checksum
    bool is_cut = false;         ///< it runs no more
  };

  void Watch();
  void Look();
  void LookAt(std::uint32_t slot, Running& running);
  void Ship();
  void Perform(const Shipment& shipment);
  const engine::model::StepLog* LogOf(const engine::model::LogKey& key) const;
  void SetTimer();
  void Free();
  bool NoteFreed(std::uint32_t slot, std::uint32_t segment);
  SpoolPosition PositionOf(std::uint32_t slot) const;

  boost::asio::io_context& io_;
  const LogShipperOptions options_;
  SpoolFolder folder_;
  ShippingPolicy policy_;
  Unshipped unshipped_;
  std::map<std::uint32_t, Running> running_;         ///< by slot
  std::map<std::uint32_t, std::uint32_t> freed_to_;  ///< by slot: segments before this are removed
  boost::asio::posix::stream_descriptor watch_;
  boost::asio::steady_timer timer_;
  /// What was queued on `io_` may come after the end of this.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace agents::logs
