// SPDX-License-Identifier: Apache-2.0
// Everything that happened in one run, in the form in which watchers get it, and its summary.
// Events are kept encoded: some forty bytes each, however many watch. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "api/wire/runs.pb.h"
#include "engine/base/time.h"
#include "engine/model/deployment.h"
#include "engine/model/fact.h"
#include "engine/model/log_state.h"
#include "engine/model/plan.h"

namespace api::services {

class RunFeed {
 public:
  /// Of the run's first fact, which is to be added, too.
  RunFeed(engine::model::RunAccepted accepted, engine::model::PlanRef plan);

  void Add(const engine::model::Fact& fact);

  engine::model::RunId run() const { return accepted_.run; }
  const engine::model::RunAccepted& accepted() const { return accepted_; }
  /// As far as it has grown.
  const engine::model::PlanRef& plan() const { return plan_; }
  /// As it was accepted: what events begin with, and what a retry runs.
  const engine::model::PlanRef& written_plan() const { return written_plan_; }
  engine::model::Status status() const { return status_; }
  /// Nothing more will come.
  bool complete() const { return complete_; }
  std::uint64_t events() const { return events_; }
  std::size_t bytes() const { return bytes_; }
  /// Of the jobs that have ended.
  const std::vector<engine::model::CarriedJob>& results() const { return results_; }

  /// What its jobs brought to environments, by job.
  std::vector<engine::model::Deployment> deployments() const { return deployments_.List(); }

  /// Logs that are not empty, of steps that have ended.
  const std::vector<engine::model::LogKey>& logs() const { return logs_; }

  /// Some events from `position` on (fewer than `events()`), at most about 64 KiB.
  struct Piece {
    std::string encoded;  ///< a `RunEvents` message
    std::uint64_t next = 0;
  };
  Piece Read(std::uint64_t position) const;

  dayfly::v1::RunOutline Outline() const;
  dayfly::v1::RunSummary Summary() const;

 private:
  struct Block {
    std::uint64_t first = 0;  ///< position of its first event
    std::string encoded;
    std::vector<std::uint32_t> begins;  ///< of each event in `encoded`
  };
  void Append(const engine::model::Fact& fact);
  void Count(const engine::model::Fact& fact);
  void Grow(const engine::model::Expansion& expansion);
  void SetStatus(engine::model::JobIndex job, engine::model::Status status);

  engine::model::RunAccepted accepted_;
  engine::model::PlanRef written_plan_;
  engine::model::PlanRef plan_;
  std::vector<Block> blocks_;
  std::uint64_t events_ = 0;
  std::size_t bytes_ = 0;
  std::vector<engine::model::Status> jobs_;
  std::array<std::uint32_t, engine::model::kStatusCount> counts_{};
  std::vector<engine::model::CarriedJob> results_;
  std::vector<engine::model::LogKey> logs_;
  engine::model::RunDeployments deployments_;
  engine::model::Status status_ = engine::model::Status::kRunning;
  engine::base::Instant accepted_at_{};
  engine::base::Instant ended_at_{};
  bool complete_ = false;
};

}  // namespace api::services
