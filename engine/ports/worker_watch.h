// SPDX-License-Identifier: Apache-2.0
// Who can tell whether a suspected worker still lives. Asked on the engine's thread; never blocks.
#pragma once

#include "engine/model/ids.h"

namespace engine::ports {

class WorkerWatch {
 public:
  virtual ~WorkerWatch() = default;
  /// Its stream ended or it fell silent. If the provider knows that it is gone, the answer is the
  /// input `WorkerGone` for this session; if it lives, or there is nobody to ask, nothing: the
  /// lease decides. Asked again, it answers again.
  virtual void Ask(model::WorkerId worker, model::SessionId session) = 0;
};

}  // namespace engine::ports
