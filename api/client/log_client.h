// SPDX-License-Identifier: Apache-2.0
// Reads steps' logs from a server. Calls block and follow the owner; one thread.
#pragma once

#include <cstdint>
#include <functional>
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
};

struct LogHandlers {
  /// Bytes of each log in order; `last`: no more will come of it.
  std::function<void(const engine::model::AttemptKey&, engine::model::StepIndex, std::string_view,
                     bool last)>
      bytes;
  /// Some are lost, and which; may be empty.
  std::function<void(std::string_view)> missing;
};

class LogClient {
 public:
  explicit LogClient(Connection& connection) : connection_(connection) {}

  /// A lost stream is opened again where it was: no gap, no repeat.
  engine::base::Status Read(const LogQuery& query, const LogHandlers& handlers);

 private:
  Connection& connection_;
};

}  // namespace api::client
