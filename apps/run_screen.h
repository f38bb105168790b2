// SPDX-License-Identifier: Apache-2.0
// Feeds a view with what becomes durable: keeps the board, reads logs, decides when to draw,
// writes. On the engine's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "apps/log_follower.h"
#include "apps/output_writer.h"
#include "apps/view/board.h"
#include "apps/view/run_view.h"
#include "engine/core/core.h"
#include "engine/loop/observer.h"
#include "engine/ports/clock.h"

namespace apps {

struct ScreenParts {
  view::Board* board = nullptr;
  engine::ports::Clock* clock = nullptr;
  OutputWriter* writer = nullptr;
  store::logs::SegmentReader* logs = nullptr;
  /// Calls back with the core when all of its state is durable.
  std::function<void(std::function<void(const engine::core::EngineCore&, engine::base::Instant)>)>
      read_core;
  /// The run's end is durable and was shown.
  std::function<void()> on_run_ended;
};

class RunScreen final : public engine::loop::Observer {
 public:
  /// `make_view` gets the function that explains waits.
  RunScreen(boost::asio::io_context& io, ScreenParts parts,
            const std::function<std::unique_ptr<view::RunView>(view::ExplainFunction)>& make_view);

  /// The board holds what earlier processes recorded.
  void Resumed();
  void OnDurable(std::uint64_t first_seq, std::span<const engine::model::Fact> facts) override;
  void Notice(std::string_view text);
  void Note(std::string_view text);
  void Typed();
  /// Last words; nothing is drawn after them.
  void End();

 private:
  using Key = LogFollower::Key;
  void Show(const engine::model::Fact& fact, std::string& out);
  void FollowStep(const engine::model::StepStarted& fact);
  void FinishStep(const Key& key, engine::model::Status status, const engine::model::StepLog& log,
                  std::string& out);
  void FinishCutSteps(const engine::model::AttemptKey& key, std::string& out);
  void ArmDraw();
  void Draw();
  std::uint32_t SegmentsOf(const Key& key, std::uint32_t slot);
  void ArmFollow();
  void WatchSize();

  ScreenParts parts_;
  const engine::core::EngineCore* core_ = nullptr;  ///< only while drawing
  std::unique_ptr<view::RunView> view_;
  LogFollower follower_;
  std::string* log_out_ = nullptr;        ///< where the follower's bytes go, while it is asked
  std::map<Key, std::uint32_t> running_;  ///< and their slots
  boost::asio::steady_timer draw_timer_;
  boost::asio::steady_timer follow_timer_;
  boost::asio::signal_set resized_;
  std::optional<engine::base::Instant> draw_at_;
  bool follow_armed_ = false;
  bool ended_ = false;
};

}  // namespace apps
