// SPDX-License-Identifier: Apache-2.0
// Logs as the calls of this process see them, whoever owns the shard: while this server does, they
// meet its stores; otherwise workers get no answer (they send again) and readers `Unavailable`
// (they ask another server). Threads: any, but for `Begin` and `End`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "api/agents/log_intake.h"
#include "api/bulk/log_acceptor.h"
#include "engine/ports/log_feed.h"

namespace apps::network {

class LogGate final : public api::agents::LogIntake, public engine::ports::LogFeed {
 public:
  /// `post` performs on the engine's thread, never from inside the call.
  explicit LogGate(std::function<void(std::function<void()>)> post) : post_(std::move(post)) {}

  struct Parts {
    api::bulk::LogAcceptor* acceptor = nullptr;
    engine::ports::LogFeed* feed = nullptr;
    /// A reader waits for the rest of this run's logs, and nothing new begins; before it is told.
    /// On the thread of who says so (the engine's).
    std::function<void(engine::model::RunId)> settling;
  };
  /// Both are used until `End` has returned.
  void Begin(Parts parts);
  void End();

  // ---- api::agents::LogIntake
  void OnBatch(engine::model::WorkerId worker, const dayfly::v1::LogBatch& batch,
               const Answer& answer) override;
  void OnEnd(engine::model::WorkerId worker, const dayfly::v1::LogEnd& end,
             const Answer& answer) override;

  /// As `LogAcceptor::OnCut`.
  void OnCut(engine::model::WorkerId worker, const dayfly::v1::LogEnd& end, const Answer& answer);

  // ---- engine::ports::LogFeed
  std::unique_ptr<engine::ports::LogReader> Open(engine::ports::LogRequest request) override;
  engine::base::StatusOr<std::map<engine::model::LogKey, engine::model::LogState>> List(
      const engine::ports::LogSelection& selection) override;

 private:
  class Reader;
  class Way;

  const std::function<void(std::function<void()>)> post_;
  std::shared_mutex mutex_;  ///< guards `parts_`; shared by calls that are inside
  Parts parts_;
  std::mutex readers_mutex_;  ///< taken inside of the other
  std::vector<std::weak_ptr<Way>> readers_;
};

}  // namespace apps::network
