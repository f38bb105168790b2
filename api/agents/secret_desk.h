// SPDX-License-Identifier: Apache-2.0
// What a worker may ask for beside its assignments: secrets and git credentials of what it runs.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/base/status.h"
#include "engine/model/ids.h"

namespace api::agents {

struct GitLogin {
  std::string username;
  std::string password;
};

class SecretDesk {
 public:
  template <typename Value>
  using Done = std::function<void(engine::base::StatusOr<Value>)>;

  virtual ~SecretDesk() = default;
  // Any thread; `done` on any thread, once. `PermissionDenied`: nothing that the worker runs now
  // names it; `Unavailable`: this server does not own the runs.

  /// `NotFound`: there is no such secret, or it cannot be read.
  virtual void ReadSecret(engine::model::WorkerId worker, std::string name,
                          Done<std::string> done) = 0;
  /// Nothing: none is needed.
  virtual void ReadGitLogin(engine::model::WorkerId worker, std::string url,
                            Done<std::optional<GitLogin>> done) = 0;
};

}  // namespace api::agents
