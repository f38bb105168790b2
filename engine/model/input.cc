// SPDX-License-Identifier: Apache-2.0
#include "engine/model/input.h"

#include <array>

namespace engine::model {

std::string_view NameOf(const Input& input) {
  static constexpr std::array<std::string_view, std::variant_size_v<Input>> kNames = {
      "submit_run",       "cancel_run",      "close_run",       "worker_connected",
      "worker_suspected", "worker_returned", "worker_silent",   "worker_gone",
      "attempt_reported", "deadline_passed", "drain_requested", "decide_approval"};
  return kNames[input.index()];
}

}  // namespace engine::model
