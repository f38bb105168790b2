// SPDX-License-Identifier: Apache-2.0
// Which ended logs a worker still holds for its server, in a file that outlives the agent: a result
// may be acknowledged and forgotten long before its log is archived. Each line says that a log has
// ended and where it lies, or that it is done with. The file is not flushed: it survives the agent,
// not the machine (a machine that fell is another worker afterwards).
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
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

  /// Reads `path`, and writes it anew without what is done. Lines that make no sense are passed
  /// over: the last may be half-written.
  engine::base::Status Open(const std::string& path);

  const std::map<engine::model::LogKey, Log>& logs() const { return logs_; }
  /// Where the logs that have ended in each slot end.
  const std::map<std::uint32_t, SpoolPosition>& positions() const { return positions_; }

  /// On failure it is known here, but not to the next agent.
  engine::base::Status Add(const engine::model::LogKey& key, Log log);
  void Remove(const engine::model::LogKey& key);

 private:
  void Read(const std::string& line);
  std::ofstream file_;
  std::map<engine::model::LogKey, Log> logs_;
  std::map<std::uint32_t, SpoolPosition> positions_;
};

}  // namespace agents::logs
