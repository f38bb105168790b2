// SPDX-License-Identifier: Apache-2.0
// When which bytes of which log go to the server: batching, window, what to send again after a cut,
// what the spool may forget. Pure: told what happened, asked what to send.
//
// A batch leaves at once when none of its log is unacknowledged; while one is, bytes gather until
// it is acknowledged, `full_bytes` are there, or `gather` has passed. All logs together have at
// most `window_bytes` unacknowledged. On a new connection a log begins with one batch from where
// the server was last known to be, and goes on when the answer tells where it really is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "engine/base/time.h"
#include "engine/model/log_state.h"

namespace agents::logs {

struct ShippingOptions {
  std::uint64_t full_bytes = 64 << 10;
  std::uint64_t batch_bytes_max = 256 << 10;  ///< the wire's limit
  std::uint64_t window_bytes = 4 << 20;
  engine::base::Duration gather = std::chrono::milliseconds(100);
  /// What was not answered for so long is sent again, beginning as on a new connection: a server
  /// that cannot take bytes just now says nothing.
  engine::base::Duration again = std::chrono::seconds(5);
};

/// Bytes of a log to be sent now.
struct SendBytes {
  engine::model::LogKey log;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
struct SendEnd {
  engine::model::LogKey log;
  engine::model::LogEnd end;
};
using Shipment = std::variant<SendBytes, SendEnd>;

/// What the server said of a log.
struct LogAnswer {
  std::uint64_t received = 0;
  std::uint64_t archived = 0;
  bool complete = false;  ///< archived to its end
  bool unwanted = false;  ///< the server does not want it any more
};

class ShippingPolicy {
 public:
  explicit ShippingPolicy(ShippingOptions options = {}) : options_(options) {}

  /// The spool has got `length` bytes of the log so far.
  void Grown(const engine::model::LogKey& log, std::uint64_t length, engine::base::Instant now);
  /// The server had archived so many bytes of it when an earlier agent asked last.
  void Known(const engine::model::LogKey& log, std::uint64_t archived);
  /// No more bytes come.
  void Ended(const engine::model::LogKey& log, const engine::model::LogEnd& end);
  /// Nothing of the log is to be sent any more.
  void Forget(const engine::model::LogKey& log) { logs_.erase(log); }
  /// Bytes from `offset` on cannot be read: they are lost. The server will find that the checksum,
  /// which is of all bytes, differs, and mark the log as damaged as well.
  void Lost(const engine::model::LogKey& log, std::uint64_t offset);

  void Connected();
  void Disconnected();
  void Answered(const engine::model::LogKey& log, const LogAnswer& answer);

  /// What is to be sent next; ask until it is nothing. Logs take turns.
  std::optional<Shipment> Next(engine::base::Instant now);
  /// When gathered bytes are due although nothing else happens.
  std::optional<engine::base::Instant> NextDeadline() const;

  /// Bytes before this the spool may forget; the log's whole length once nobody needs it.
  std::uint64_t Archived(const engine::model::LogKey& log) const;
  bool IsDone(const engine::model::LogKey& log) const { return !logs_.contains(log); }
  std::uint64_t unacknowledged() const;

 private:
  struct Log {
    std::uint64_t length = 0;  ///< in the spool
    std::uint64_t sent = 0;    ///< on this connection, or received before it
    std::uint64_t received = 0;
    std::uint64_t archived = 0;
    std::optional<engine::model::LogEnd> end;
    bool end_sent = false;
    std::optional<engine::base::Instant> quiet_since;  ///< something is under way, and no answer
    bool is_asking = false;  ///< on this connection the server has not said where it is
    std::optional<engine::base::Instant> gathering_since;  ///< the oldest byte that is not sent
  };
  void SendAgain(Log& log, engine::base::Instant now);
  bool IsDue(const Log& log, engine::base::Instant now) const;
  std::optional<Shipment> Send(const engine::model::LogKey& key, Log& log,
                               engine::base::Instant now);

  const ShippingOptions options_;
  bool connected_ = false;
  std::map<engine::model::LogKey, Log> logs_;
  engine::model::LogKey last_;  ///< had its turn last
};

}  // namespace agents::logs
