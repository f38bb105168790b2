// SPDX-License-Identifier: Apache-2.0
// Who sees facts once they are durable: the view, JSON lines, the index.
#pragma once

#include <cstdint>
#include <span>

#include "engine/model/fact.h"

namespace engine::loop {

class Observer {
 public:
  virtual ~Observer() = default;
  /// In the order of the log, on the engine's thread, after the effects of the same batch were
  /// handed out and before its replies. `first_seq` is the number of `facts[0]`, counted from 1.
  virtual void OnDurable(std::uint64_t first_seq, std::span<const model::Fact> facts) = 0;
};

}  // namespace engine::loop
