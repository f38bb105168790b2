// SPDX-License-Identifier: Apache-2.0
// Shows a run of a server while it goes on, with the views of `dayfly run`. Facts come on one
// thread; a second one draws what moves, a third one brings logs.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "api/client/connection.h"
#include "api/wire/run_outline.h"
#include "apps/network/log_watch.h"
#include "apps/output_writer.h"
#include "apps/view/board.h"
#include "apps/view/run_view.h"

namespace apps::network {

class WatchScreen {
 public:
  /// `output`: `tree plain json`; empty: by what standard output is.
  /// Logs come from `target`, if the view shows any.
  WatchScreen(std::string output, api::client::Target target);
  ~WatchScreen();
  WatchScreen(const WatchScreen&) = delete;
  WatchScreen& operator=(const WatchScreen&) = delete;

  void Begin(const api::wire::OutlinedRun& run);
  void Show(const engine::model::Fact& fact);
  /// Last words. The exit code of the run as it stands. `is_over`: all that was printed is waited
  /// for.
  int End(bool is_over);
  /// Null before `Begin`.
  const view::Board* board() const { return board_ ? &*board_ : nullptr; }

 private:
  void MakeView(const api::wire::OutlinedRun& run);
  void BringLogs(const engine::model::Fact& fact);
  void Output(const engine::model::LogKey& log, std::string_view bytes, bool last);
  void ShowEarly(std::string& out);
  void DrawLoop(const std::stop_token& stop);

  std::string output_;
  const api::client::Target target_;
  OutputWriter writer_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<view::Board> board_;
  std::unique_ptr<view::RunView> view_;
  /// Output of jobs that the run has grown by, and of which it is not told yet.
  struct Early {
    engine::model::LogKey log;
    std::string bytes;
    bool last = false;
  };
  std::vector<Early> early_;
  std::size_t early_bytes_ = 0;
  bool news_ = false;  ///< since the drawer last looked
  std::jthread drawer_;
  std::unique_ptr<LogWatch> logs_;  ///< null: the view wants none
};

}  // namespace apps::network
