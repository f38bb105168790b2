// SPDX-License-Identifier: Apache-2.0
// Takes the logs of steps: bytes at an offset, then how the log ended. Repeat-safe: whoever does
// not know whether a batch arrived sends it again. Threads: safe to call from several; calls do not
// wait for the disk. Answers come once each, on a thread of the sink's, never from inside the call;
// a handler must be quick and must not call the sink's destructor.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "engine/base/status.h"
#include "engine/model/log_state.h"

namespace engine::ports {

/// Largest batch.
inline constexpr std::uint64_t kLogBatchBytesMax = 1ULL << 20;

class LogSink {
 public:
  using Answer = std::function<void(base::StatusOr<model::LogMarks>)>;
  virtual ~LogSink() = default;

  /// Bytes of `log` from `offset` on. Answered when they are durable here. What is there already is
  /// passed over, so a repeated or overlapping batch only adds what is new.
  ///   `FailedPrecondition`: a gap: `offset` lies behind what was received (send from there), or
  ///   the
  ///      log has ended before the batch's end;
  ///   `InvalidArgument`: longer than `kLogBatchBytesMax`;
  ///   `ResourceExhausted`: the disk is full, or too much waits for it: send again later;
  ///   `Unavailable`: the sink was closed.
  virtual void Append(const model::LogKey& log, std::uint64_t offset, std::string bytes,
                      Answer answer) = 0;

  /// The log ends so. Answered when that is durable. The first end stands, unless it was a
  /// cut; the same end again is fine. Somebody who knows no more than the bytes may say that it is
  /// `cut` behind them; then there is no checksum to compare.
  ///   `FailedPrecondition`: bytes before its end have not arrived (send them first), or more have;
  ///   `AlreadyExists`: it has another end; `InvalidArgument`: see `model::CheckEnd`;
  ///   `DataLoss`: what arrived does not match `checksum`. The log has ended all the same, as
  ///      damaged: sending it again gives the same answer.
  virtual void End(const model::LogKey& log, const model::LogEnd& end, Answer answer) = 0;

  /// Nobody is there who would send more of the log: unless it has ended, it is cut where it is.
  /// With `length` (as the worker had reported it, 0: it had not) what is missing is named. A
  /// worker that comes back all the same may go on: a cut gives way to more bytes and to another
  /// end.
  virtual void Abandon(const model::LogKey& log, std::uint64_t length) = 0;
  /// The same for all logs of the attempt that are here, but for those of the steps in `named`.
  virtual void AbandonOthers(const model::AttemptKey& attempt,
                             const std::set<model::StepIndex>& named) = 0;

  /// Where a sender resumes: nothing received for a log that nobody knows. May read the disk.
  virtual base::StatusOr<model::LogMarks> Marks(const model::LogKey& log) = 0;

  /// `listener` hears of each growth of a log's `archived`, on a thread of the sink's. Set once,
  /// before the first batch.
  using ArchivedListener = std::function<void(const model::LogKey&, const model::LogMarks&)>;
  virtual void OnArchived(ArchivedListener listener) = 0;
};

}  // namespace engine::ports
