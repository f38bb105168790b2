// SPDX-License-Identifier: Apache-2.0
#include "engine/model/log_state.h"

namespace engine::model {

bool IsComplete(const LogEnd& end) {
  return end.lost.empty() && !end.cut && !end.damaged;
}

std::uint64_t KeptLength(const LogEnd& end) {
  return end.lost.empty() ? end.length : end.lost.front().begin;
}

base::Status CheckEnd(const LogEnd& end) {
  std::uint64_t before = 0;
  for (const ByteRange& range : end.lost) {
    if (range.begin >= range.end || range.end > end.length) {
      return base::InvalidArgument("lost bytes {} to {} of a log of {}", range.begin, range.end,
                                   end.length);
    }
    if (&range != end.lost.data() && range.begin != before) {
      return base::InvalidArgument("lost bytes from {} on, although those from {} on are lost",
                                   range.begin, before);
    }
    before = range.end;
  }
  if (!end.lost.empty() && before != end.length) {
    return base::InvalidArgument("a log of {} bytes lost those from {} to {} and none behind them",
                                 end.length, end.lost.front().begin, before);
  }
  return base::OkStatus();
}

}  // namespace engine::model
