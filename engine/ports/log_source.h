// SPDX-License-Identifier: Apache-2.0
// Reads steps' logs back. Threads: safe to call from several.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/status.h"
#include "engine/model/log_range.h"

namespace engine::ports {

class LogSource {
 public:
  virtual ~LogSource() = default;
  /// Up to `length` bytes of a step's log from `offset` (counted over its ranges). Shorter at the
  /// end. `DataLoss` names the byte range that is missing.
  virtual base::StatusOr<std::string> Read(const model::StepLog& log, std::uint64_t offset,
                                           std::uint64_t length) = 0;
};

}  // namespace engine::ports
