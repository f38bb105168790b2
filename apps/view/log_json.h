// SPDX-License-Identifier: Apache-2.0
// A line of a step's log as `dayfly logs --format json` prints it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/model/ids.h"

namespace apps::view {

struct LogLine {
  std::string_view at;  ///< when its first bytes were read; empty: not known
  std::string_view job;
  engine::model::AttemptNumber attempt = 0;
  std::string_view step;
  std::uint64_t offset = 0;  ///< of its first byte in the step's log
  bool continued = false;    ///< it goes on with the line of the object before it
  std::string_view text;     ///< as it was written, without its end
};

/// Appends one object and a line's end.
void AppendLogLine(std::string& out, const LogLine& line);

}  // namespace apps::view
