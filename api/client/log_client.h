// SPDX-License-Identifier: Apache-2.0
// Reads steps' logs from a server. Calls block and follow the owner; one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "api/client/connection.h"
#include "engine/base/status.h"
#include "engine/model/ids.h"

namespace api::client {

/// Which logs, and how much of them.
struct LogQuery {
  engine::model::RunId run;
  std::optional<engine::model::JobIndex> job;
  std::optional<engine::model::AttemptNumber> attempt;
  std::optional<engine::model::StepIndex> step;
  std::optional<std::uint64_t> tail_lines;
  bool follow = false;  ///< until the run is over, or else what there is now
  /// With `follow`: when nothing came for so long, it is over all the same (`DeadlineExceeded`).
  std::optional<std::chrono::milliseconds> quiet_max;
};

/// Bytes of one log.
struct LogPiece {
  engine::model::AttemptKey attempt;
  engine::model::StepIndex step;
  std::uint64_t offset = 0;  ///< of the first of them
  std::string_view bytes;
  bool last = false;  ///< no more will come of it
};

struct LogHandlers {
  /// The bytes of each log in order.
  std::function<void(const LogPiece&)> bytes;
  /// What is missing of a log; may be empty. Once a log and gap, at the latest when all is read.
  std::function<void(const engine::model::AttemptKey&, engine::model::StepIndex, std::string_view)>
      missing;
};

class LogClient {
 public:
  /// The connection outlives it and is its thread's.
  explicit LogClient(Connection& connection) : connection_(connection) {}

  /// A lost stream is opened again where it was: no gap, no repeat.
  engine::base::Status Read(const LogQuery& query, const LogHandlers& handlers);
  /// Any thread: ends `Read`, now or when it comes, with `Cancelled`.
  void Cancel();

 private:
  class Call;

  Connection& connection_;
  std::mutex mutex_;
  bool cancelled_ = false;               ///< under `mutex_`
  grpc::ClientContext* call_ = nullptr;  ///< under `mutex_`
};

}  // namespace api::client
