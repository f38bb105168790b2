// SPDX-License-Identifier: Apache-2.0
// Wraps a `LogSink` and makes it fail as told: full, torn (a part arrives, and the caller is told
// that it failed), or silent about what it did. Same threads as the sink it wraps.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>

#include "engine/ports/log_sink.h"

namespace tests::support {

enum class LogFault {
  kNone,
  kFull,    ///< nothing is stored
  kTorn,    ///< a prefix is stored
  kUnknown  ///< all is stored
};

class FaultyLogSink : public engine::ports::LogSink {
 public:
  /// `draw` is asked before each batch; it may also take its time (a slow disk).
  FaultyLogSink(engine::ports::LogSink& real, std::function<LogFault()> draw)
      : real_(real), draw_(std::move(draw)) {}
  void Heal() { draw_ = nullptr; }

  void Append(const engine::model::LogKey& log, std::uint64_t offset, std::string bytes,
              Answer answer) override {
    const auto fail_with = [&](engine::base::Status status) {
      return [answer, status = std::move(status)](const auto&) { answer(status); };
    };
    switch (draw_ ? draw_() : LogFault::kNone) {
      case LogFault::kNone:
        return real_.Append(log, offset, std::move(bytes), std::move(answer));
      case LogFault::kFull:
        return real_.Append(log, 0, "",
                            fail_with(engine::base::ResourceExhausted("no space left on device")));
      case LogFault::kTorn:
        return real_.Append(log, offset, bytes.substr(0, bytes.size() / 2),
                            fail_with(engine::base::Unavailable("the connection broke")));
      case LogFault::kUnknown:
        return real_.Append(log, offset, std::move(bytes),
                            fail_with(engine::base::Unavailable("the connection broke")));
    }
  }
  void End(const engine::model::LogKey& log, const engine::model::LogEnd& end,
           Answer answer) override {
    real_.End(log, end, std::move(answer));
  }
  void Abandon(const engine::model::LogKey& log, std::uint64_t length) override {
    real_.Abandon(log, length);
  }
  void AbandonOthers(const engine::model::AttemptKey& attempt,
                     const std::set<engine::model::StepIndex>& named) override {
    real_.AbandonOthers(attempt, named);
  }
  engine::base::StatusOr<engine::model::LogMarks> Marks(const engine::model::LogKey& log) override {
    return real_.Marks(log);
  }
  void OnArchived(ArchivedListener listener) override { real_.OnArchived(std::move(listener)); }

 private:
  engine::ports::LogSink& real_;
  std::function<LogFault()> draw_;
};

}  // namespace tests::support
