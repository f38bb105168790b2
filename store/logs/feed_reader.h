// SPDX-License-Identifier: Apache-2.0
// One reader's way through the logs of a run. What is in memory is handed out on the feed's thread;
// what is not is read on another, so that those who follow do not wait for those who read history.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "engine/ports/log_feed.h"
#include "store/logs/log_book.h"
#include "store/logs/serial_thread.h"

namespace store::logs {

/// What all readers share; outlives none of their calls.
struct FeedThreads {
  LogBook* book = nullptr;
  SerialThread* memory = nullptr;
  SerialThread* disk = nullptr;
};

class FeedReader : public engine::ports::LogReader {
 public:
  FeedReader(FeedThreads threads, engine::ports::LogRequest request);
  ~FeedReader() override;
  void Next(Handler handler) override;
  void Settle(std::vector<engine::model::LogKey> expected) override;

 private:
  /// Lives as long as the reader; work under way finds it gone.
  class Walk;
  std::shared_ptr<Walk> walk_;
};

}  // namespace store::logs
