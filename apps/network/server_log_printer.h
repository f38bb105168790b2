// SPDX-License-Identifier: Apache-2.0
// Prints logs that come from a server, for `dayfly logs`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "api/client/log_client.h"
#include "apps/logs_command.h"
#include "apps/run_access.h"
#include "apps/view/board.h"
#include "apps/view/log_text.h"
#include "engine/base/status.h"

namespace apps::network {

class ServerLogPrinter {
 public:
  /// `logs` outlives this. `read_board` reads the run again: it may grow while its logs are
  /// followed.
  using ReadBoard = std::function<engine::base::StatusOr<view::Board>()>;
  ServerLogPrinter(api::client::LogClient& logs, view::Board board, ReadBoard read_board)
      : logs_(logs), board_(std::move(board)), read_board_(std::move(read_board)) {}

  /// `DataLoss` names the first bytes that are missing; the rest was printed.
  engine::base::Status Print(const SelectedSteps& selected, const LogsOptions& options);

 private:
  using Key = std::pair<engine::model::AttemptKey, engine::model::StepIndex>;
  engine::base::Status Follow(const SelectedSteps& selected, const LogsOptions& options);
  engine::base::Status InOrder(const SelectedSteps& selected, const LogsOptions& options);
  engine::base::Status Read(api::client::LogQuery query, const LogsOptions& options);
  void Miss(const Key& key, std::string_view text);
  bool Knows(engine::model::JobIndex job);
  void Emit(const api::client::LogPiece& piece, bool json);
  void Write(const Key& key, std::string_view text) const;
  void WriteJson(const Key& key, const view::LineSplitter& lines, std::string_view line) const;

  api::client::LogClient& logs_;
  view::Board board_;
  ReadBoard read_board_;
  bool name_jobs_ = false;
  std::map<Key, view::OpenLog> open_;
  engine::base::Status missing_;
};

}  // namespace apps::network
