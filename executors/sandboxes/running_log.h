// SPDX-License-Identifier: Apache-2.0
// What a command that still runs has printed so far, straight from the segments that its keeper
// writes. For one reader; reads files, writes none.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "engine/model/log_segment.h"
#include "engine/ports/sandbox.h"

namespace executors::sandboxes {

class RunningLog {
 public:
  /// `folder`: with the segments. `tag` as the command was started with.
  RunningLog(std::string folder, engine::ports::Lane lane, const engine::model::LogTag& tag)
      : folder_(std::move(folder)), lane_(lane), tag_(tag) {}

  /// What was printed since the last call, at most 1 MiB; empty while there is nothing.
  std::string ReadOn();

 private:
  std::string folder_;
  engine::ports::Lane lane_;
  engine::model::LogTag tag_;
  bool found_ = false;
  std::uint32_t segment_ = 0;
  std::uint64_t offset_ = 0;
};

}  // namespace executors::sandboxes
