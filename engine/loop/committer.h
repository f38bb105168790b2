// SPDX-License-Identifier: Apache-2.0
// Carries a batch to the store while the engine's thread goes on. Real: `CommitThread`. In the
// simulation: whatever the seed says.
#pragma once

#include <functional>

#include "engine/base/status.h"
#include "engine/ports/run_store.h"

namespace engine::loop {

class Committer {
 public:
  using Done = std::function<void(base::Status)>;
  virtual ~Committer() = default;
  /// `batch` stays valid and unchanged until `done`, which is called once, on the engine's thread,
  /// never from inside this call. At most one batch is under way.
  virtual void Commit(const ports::CommitBatch& batch, Done done) = 0;

  /// Performs `work`, which may use the store and take long, then `done` on the engine's thread.
  /// Not while a batch is under way. Here: at once; for committers without a thread.
  virtual void Aside(std::function<void()> work, std::function<void()> done) {
    work();
    done();
  }
};

}  // namespace engine::loop
