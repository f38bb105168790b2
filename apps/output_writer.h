// SPDX-License-Identifier: Apache-2.0
// Standard output that does not hold up the engine: what goes to a pipe or a terminal, whose reader
// may be slow, is written by a thread of its own, in order. A file takes it at once.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "engine/base/status.h"

namespace apps {

class OutputWriter {
 public:
  /// A caller waits while more than this is unwritten, so a stalled reader does not fill the
  /// memory.
  static constexpr std::size_t kWaitingBytesMax = 16 << 20;

  /// `on_error` is called once, on any thread: the reader is gone, or the disk full. Nothing is
  /// written after that.
  OutputWriter(int descriptor, std::function<void(engine::base::Status)> on_error);
  ~OutputWriter();
  OutputWriter(const OutputWriter&) = delete;
  OutputWriter& operator=(const OutputWriter&) = delete;

  void Write(std::string text);
  /// Returns when everything is written, or cannot be.
  void Drain();
  /// Not OK once something could not be written.
  engine::base::Status status();

 private:
  void Work();
  void WriteNow(std::string_view text);

  const int descriptor_;
  const bool direct_;
  std::function<void(engine::base::Status)> on_error_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  bool writing_ = false;
  bool ending_ = false;
  engine::base::Status status_;
  std::thread thread_;
};

}  // namespace apps
