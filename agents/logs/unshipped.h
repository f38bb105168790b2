// SPDX-License-Identifier: Apache-2.0
// Which ended logs a worker still holds for its server, in a file that outlives the agent: a result
// may be acknowledged and forgotten long before its log is archived. Each line says that a step has
// begun in a slot, that a log has ended and where it lies, or that it is done with. The file is not
// flushed: it survives the agent, not the machine (a machine that fell is another worker
// afterwards).
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "agents/logs/spool_folder.h"
#include "engine/base/status.h"
#include "engine/model/log_range.h"
#include "engine/model/log_state.h"

namespace agents::logs {

class Unshipped {
 public:
  struct Log {
    std::uint32_t slot = 0;
    engine::model::StepLog log;
  };
  /// A step that may still run.
  struct Begun {
    engine::model::LogKey key;
    std::optional<FreedSegments> freed;
    friend bool operator==(const Begun&, const Begun&) = default;
  };

  /// Reads `path`, and writes it anew without what is done. Lines that make no sense are passed
  /// over: the last may be half-written.
  engine::base::Status Open(const std::string& path);

  const std::map<engine::model::LogKey, Log>& logs() const { return logs_; }
  /// Where the logs that have ended in each slot end.
  const std::map<std::uint32_t, SpoolPosition>& positions() const { return positions_; }

  /// The step that each slot began last, if its log was not added.
  const std::map<std::uint32_t, Begun>& begun() const { return begun_; }

  /// On failure it is known here, but not to the next agent. One that was begun already goes on.
  engine::base::Status Begin(std::uint32_t slot, const engine::model::LogKey& key);
  /// Of the step that the slot began; before they are removed.
  engine::base::Status Free(std::uint32_t slot, const FreedSegments& freed);
  /// On failure it is known here, but not to the next agent.
  engine::base::Status Add(const engine::model::LogKey& key, Log log);
  void Remove(const engine::model::LogKey& key);

 private:
  void Read(const std::string& line);
  engine::base::Status Write(const std::string& line);
  void Ended(const engine::model::LogKey& key, Log log);
  std::ofstream file_;
  std::map<engine::model::LogKey, Log> logs_;
  std::map<std::uint32_t, SpoolPosition> positions_;
  std::map<std::uint32_t, Begun> begun_;
};

}  // namespace agents::logs
