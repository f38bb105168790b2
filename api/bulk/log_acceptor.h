// SPDX-License-Identifier: Apache-2.0
// The server's end of agents' logs: batches and ends go to the `LogSink`, what it says goes back as
// acknowledgements. A log that is not the worker's, or that does not fit what is there, is
// unwanted. When the sink cannot take bytes just now, or the run has to be looked up first, nothing
// is answered, and the agent sends them again. Messages were checked before. Threads: any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "api/bulk/chunk_grants.h"
#include "api/wire/agent.pb.h"
#include "engine/ports/log_sink.h"

namespace api::bulk {

class LogAcceptor {
 public:
  /// Says something about a log to the agent's stream; nothing happens once that has ended.
  using Answer = std::function<void(dayfly::v1::LogAcknowledged)>;

  /// A run whose attempts are to be opened in the grants. Any thread; called again and again.
  using LookUp = std::function<void(engine::model::RunId)>;
  /// All outlive this; `sink` is closed before this is destroyed. Listens to `OnArchived`.
  LogAcceptor(engine::ports::LogSink& sink, const ChunkGrants& grants, LookUp look_up);

  void OnBatch(engine::model::WorkerId worker, const dayfly::v1::LogBatch& batch,
               const Answer& answer);
  void OnEnd(engine::model::WorkerId worker, const dayfly::v1::LogEnd& end, const Answer& answer);
  /// On behalf of a worker that is gone: these are all bytes of the log that are left. It is cut
  /// there (the checksum does not count), unless its end is known.
  void OnCut(engine::model::WorkerId worker, const dayfly::v1::LogEnd& end, const Answer& answer);
  /// Nobody sends logs of this run any more.
  void ForgetRun(engine::model::RunId run);

 private:
  using Marks = engine::base::StatusOr<engine::model::LogMarks>;
  struct Sender {
    Answer answer;
    bool has_all = false;  ///< all that is left; for others a cut log is not complete
  };
  void Finish(engine::model::WorkerId worker, const dayfly::v1::LogEnd& message,
              const Sender& sender);
  /// Whether the log is the worker's; if not, that was answered.
  template <typename Message>
  std::optional<engine::model::LogKey> Admit(engine::model::WorkerId worker, const Message& message,
                                             const Answer& answer);
  /// What a refusal means depends on where the sender's bytes begin.
  void Told(const engine::model::LogKey& log, std::uint64_t sent_from, const Marks& marks,
            const Sender& sender);
  void Acknowledge(const engine::model::LogKey& log, const engine::model::LogMarks& marks,
                   const Sender& sender);
  void Archived(const engine::model::LogKey& log, const engine::model::LogMarks& marks);

  engine::ports::LogSink& sink_;
  const ChunkGrants& grants_;
  const LookUp look_up_;
  std::mutex mutex_;
  /// Of each log that is not complete, the stream that sent last.
  std::map<engine::model::LogKey, Sender> streams_;
};

}  // namespace api::bulk
