// SPDX-License-Identifier: Apache-2.0
#include "engine/model/effect.h"

#include <array>

namespace engine::model {

std::string_view ToText(RefusalCode code) {
  static constexpr std::array<std::string_view, 10> kNames = {
      "unknown_run",   "unknown_job", "unknown_worker", "stale_attempt",  "stale_session",
      "already_ended", "repeated",    "out_of_order",   "already_exists", "invalid"};
  return kNames[static_cast<std::size_t>(code)];
}

}  // namespace engine::model
