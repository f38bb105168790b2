// SPDX-License-Identifier: Apache-2.0
// Reads logs of a run: what there is, then what comes, each byte once and each log's bytes in
// order. Only durable bytes are handed out. Threads: safe to call from several. Any number of
// readers; a slow one holds up nobody, because each asks for its next piece when it wants it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/log_state.h"

namespace engine::ports {

/// Which logs a reader gets: those where every given member is equal.
struct LogSelection {
  model::RunId run;
  std::optional<model::JobIndex> job;
  std::optional<model::AttemptNumber> attempt;
  std::optional<model::StepIndex> step;
};

inline bool Selects(const LogSelection& selection, const model::LogKey& log) {
  return selection.run == log.attempt.run &&
         selection.job.value_or(log.attempt.job) == log.attempt.job &&
         selection.attempt.value_or(log.attempt.attempt) == log.attempt.attempt &&
         selection.step.value_or(log.step) == log.step;
}

struct LogRequest {
  LogSelection logs;
  /// Where to go on: the offset of the next byte of each log. It is what a reader of pieces knows
  /// by itself (`LogPiece::offset` + `bytes.size()`), so a cut-off reader resumes without gap or
  /// repeat, at any server. A log that is not named begins at 0, or at its tail.
  std::map<model::LogKey, std::uint64_t> from;
  std::optional<std::uint64_t> tail_lines;  ///< of logs that are not named in `from`
  bool follow = false;                      ///< wait for what comes; else end with what there is
};

/// Some bytes of one log. The last piece of a log carries `end`, and may have no bytes.
struct LogPiece {
  model::LogKey log;
  std::uint64_t offset = 0;
  std::string_view bytes;                    ///< within `block`
  std::shared_ptr<const std::string> block;  ///< shared by all who read there
  std::optional<model::LogEnd> end;
};

/// One reader's way through its logs. Destroying it, also from inside the handler, cancels a call
/// of `Next` whose handler has not begun.
class LogReader {
 public:
  /// Nothing: all was handed out, and nothing more will come. `DataLoss` names bytes that are
  /// missing; the next call goes on behind them.
  using Handler = std::function<void(base::StatusOr<std::optional<LogPiece>>)>;
  virtual ~LogReader() = default;

  /// The next piece, of at most 256 KiB: now, or when there is one. One call at a time; the handler
  /// comes on a thread of the feed's, never from inside the call, and may call `Next` again.
  virtual void Next(Handler handler) = 0;

  /// Everything that was to be done is done: a following reader ends once the logs that are there,
  /// and those of `expected` (steps that printed something, as the facts say), have ended. Of both
  /// only those that it reads count.
  virtual void Settle(std::vector<model::LogKey> expected) = 0;
};

class LogFeed {
 public:
  virtual ~LogFeed() = default;
  virtual std::unique_ptr<LogReader> Open(LogRequest request) = 0;
  /// The logs there are, in the order of their keys. May read the disk.
  virtual base::StatusOr<std::map<model::LogKey, model::LogState>> List(
      const LogSelection& selection) = 0;
};

}  // namespace engine::ports
