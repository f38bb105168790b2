// SPDX-License-Identifier: Apache-2.0
// `--stats`: what a run cost, as one JSON line on standard error.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "engine/loop/observer.h"
#include "engine/loop/sequencer.h"

namespace apps {

/// Called first thing in `main`: times are counted from here.
void MarkProgramStart();
std::chrono::microseconds SinceProgramStart();

class RunStats final : public engine::loop::Observer {
 public:
  void OnDurable(std::uint64_t first_seq, std::span<const engine::model::Fact> facts) override;
  void Print(const engine::loop::LoopCounters& counters, const std::string& run_folder) const;

 private:
  std::optional<std::chrono::microseconds> accepted_;
  std::optional<std::chrono::microseconds> first_attempt_;
  std::optional<std::chrono::microseconds> ended_;
};

}  // namespace apps
