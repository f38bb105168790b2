// SPDX-License-Identifier: Apache-2.0
// What the commands of one slot print, on its way from their pipe through the masker into the
// spool. Used by the keeper's loop, on its one thread.
//
// Secrets are masked before the spool sees them, and annotations are picked out of what is masked;
// what the masker holds back is settled when the command has printed nothing for a while. While the
// spool is full the pipe is not read, so the command waits in its writes.
//
// A command's log ends when its main process does, with what was in the pipe by then. What it left
// running may go on and print: that is read, so that nobody blocks, and dropped.
#pragma once

#include <cstdint>
#include <poll.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/annotation.h"
#include "engine/model/log_range.h"
#include "executors/masking/masker.h"
#include "executors/sandboxes/annotation_collector.h"
#include "executors/sandboxes/file_descriptor.h"
#include "executors/sandboxes/log_spool.h"

namespace executors::sandboxes {

class CommandOutput {
 public:
  explicit CommandOutput(LogSpool spool);

  /// The values that no command's log shows from now on; taken. Commands of a job have the same
  /// ones mostly, so what was made of them is kept. `ResourceExhausted` as `Masker::Of`.
  engine::base::Status SetMasks(std::vector<std::string>& values);
  /// A command begins to print into `pipe`; at most `limit` bytes of it are kept (0: all).
  void Begin(FileDescriptor pipe, const engine::model::LogTag& tag, std::uint64_t limit);
  /// Text of our own in the command's log, masked like its own.
  void Say(std::string_view text) { Keep(text); }
  /// The command has ended; makes its log durable. With `left_running` others may hold the pipe.
  LogSpool::Finished End(bool left_running);
  /// Those of the command that has ended; once. Also those behind what its log was cut at.
  engine::model::Annotations TakeAnnotations() { return annotations_.Finish(); }
  /// Nothing of what was started runs any more.
  void DropLeftRunning();

  /// Appends what this waits for.
  void AddTo(std::vector<pollfd>& polled);
  /// Takes what came; `polled` are those that `AddTo` appended, after the poll.
  void Take(std::span<const pollfd> polled);
  /// When `Settle` is due, if nothing comes (monotonic microseconds, or `kNever`).
  std::int64_t settle_at() const;
  void Settle();

 private:
  void ReadPipe();
  void DrainPipe();
  void Keep(std::span<const char> bytes);
  void Append(std::span<const char> masked);

  LogSpool spool_;
  AnnotationCollector annotations_;
  std::vector<std::string> masks_;  ///< the values that `masker_` was made of
  executors::masking::Masker masker_;
  std::string masked_;      ///< room for what `masker_` gives out
  std::int64_t paused_at_;  ///< when what it holds back is given out
  std::int64_t look_at_;    ///< when a full spool is looked at again
  FileDescriptor pipe_;     ///< of the command that runs; closed early when it closed its end
  std::vector<FileDescriptor> left_pipes_;
  std::vector<char> buffer_;
};

}  // namespace executors::sandboxes
