// SPDX-License-Identifier: Apache-2.0
// Drives an `EngineCore` in tests and checks after every step what must always hold: replaying the
// facts gives the same state, so does the snapshot, no deadline is left due, and what is
// outstanding are exactly the orders not answered yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "engine/core/core.h"
#include "engine/model/fact.h"
#include "engine/model/ids.h"
#include "engine/model/input.h"
#include "engine/model/plan.h"

namespace tests::support {

class CoreDriver {
 public:
  explicit CoreDriver(engine::model::PlanRef plan);

  /// Steps at the present time and keeps what came of it.
  const engine::core::Decisions& Step(const engine::model::Input& input);
  /// Lets time pass and every deadline on the way fire at its instant.
  void Advance(engine::base::Duration by);

  // Inputs, with the one plan, run 1 and worker 1 (session 1) where nothing else is said.
  const engine::core::Decisions& Submit(engine::model::SubmitRun extra = {});
  const engine::core::Decisions& Connect(std::uint32_t slots, std::uint32_t ahead_max = 0,
                                         std::uint64_t worker = 1, std::uint64_t session = 1);
  const engine::core::Decisions& Cancel(bool kill = false);
  const engine::core::Decisions& Report(std::string_view job, engine::model::Report report);
  /// Started, if it has not, and ended so.
  const engine::core::Decisions& Finish(
      std::string_view job, engine::model::Status status = engine::model::Status::kSucceeded,
      engine::model::Reason reason = {});
  const engine::core::Decisions& FinishWithExit(std::string_view job, std::int32_t exit_code);

  engine::model::JobIndex Job(std::string_view name) const;
  engine::model::Status StatusOf(std::string_view job) const;
  /// The first reason of `Explain`.
  engine::model::Reason WhyOf(std::string_view job) const;
  /// Where the newest attempt of `job` runs; nothing when it has none that is live.
  std::optional<engine::model::Lease> LeaseOf(std::string_view job) const;
  std::optional<engine::model::Lease> LeaseOf(engine::model::RunId run,
                                              engine::model::JobIndex job) const;
  std::optional<engine::model::RunEnded> Ended() const;

  engine::core::EngineCore& core() { return core_; }
  /// As far as the run has grown.
  const engine::model::Plan& plan(engine::model::RunId run = kRun) const;
  /// As it is submitted.
  const engine::model::PlanRef& plan_ref() const { return plan_; }
  engine::base::Instant now() const { return now_; }
  const engine::core::Decisions& last() const { return last_; }
  const std::vector<engine::model::Fact>& facts() const { return facts_; }
  /// Facts of the last step whose text starts so: "job_ended".
  std::vector<std::string> LastFacts(std::string_view prefix) const;

  static constexpr engine::model::RunId kRun{1};

 private:
  void CheckReplay();
  void CheckOutstanding();

  engine::model::PlanRef plan_;
  engine::core::EngineCore core_;
  engine::core::EngineCore replayed_;  ///< sees only the facts
  engine::base::Instant now_ = engine::base::InstantFromMicros(1'767'225'600'000'000);
  engine::core::Decisions last_;
  std::vector<engine::model::Fact> facts_;
};

}  // namespace tests::support
