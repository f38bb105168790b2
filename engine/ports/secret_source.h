// SPDX-License-Identifier: Apache-2.0
// Values of secrets by name. They exist only in the memory of this, of the agent and of the step.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace engine::ports {

class SecretSource {
 public:
  virtual ~SecretSource() = default;
  /// `NotFound` when there is no such secret, `PermissionDenied` when it is not for this run.
  virtual base::StatusOr<std::string> Read(std::string_view name) = 0;
};

}  // namespace engine::ports
