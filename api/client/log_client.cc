// SPDX-License-Identifier: Apache-2.0
#include "api/client/log_client.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/wire/logs.grpc.pb.h"

namespace api::client {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;

namespace {

using Place = std::pair<model::AttemptKey, model::StepIndex>;

pb::ReadLogsRequest RequestOf(const LogQuery& query) {
  pb::ReadLogsRequest request;
  request.set_run(model::ToText(query.run));
  if (query.job) {
    request.set_job(query.job->value());
  }
  if (query.attempt) {
    request.set_attempt(*query.attempt);
  }
  if (query.step) {
    request.set_step(query.step->value());
  }
  if (query.tail_lines) {
    request.set_tail_lines(*query.tail_lines);
  }
  request.set_follow(query.follow);
  return request;
}

std::vector<std::string> WhatIsWrong(const pb::LogFinish& finish) {
  std::vector<std::string> wrong;
  for (const pb::LogLostRange& range : finish.lost()) {
    wrong.push_back(fmt::format("bytes {} to {} are missing", range.begin(), range.end()));
  }
  if (finish.cut()) {
    wrong.push_back(fmt::format(
        "it may have gone on behind byte {}: its worker was lost before it told the end",
        finish.length()));
  }
  if (finish.damaged()) {
    wrong.emplace_back("what arrived does not match its checksum");
  }
  return wrong;
}

/// Knows how far each log has come, over any number of streams.
class Reading {
 public:
  Reading(const LogQuery& query, const LogHandlers& handlers)
      : query_(query), handlers_(handlers) {}

  pb::ReadLogsRequest Request() const {
    pb::ReadLogsRequest request = RequestOf(query_);
    for (const auto& [place, offset] : offsets_) {
      pb::LogCursor* cursor = request.add_from();
      cursor->set_job(place.first.job.value());
      cursor->set_attempt(place.first.attempt);
      cursor->set_step(place.second.value());
      cursor->set_offset(offset);
    }
    return request;
  }

  void Take(const pb::ReadLogsResponse& piece) {
    const Place place{
        {.run = query_.run, .job = model::JobIndex(piece.job()), .attempt = piece.attempt()},
        model::StepIndex(piece.step())};
    if (!piece.missing().empty()) {
      return Miss(place, piece.missing());
    }
    // A server that began at an earlier place sends what is known already.
    std::uint64_t& next = offsets_.try_emplace(place, piece.offset()).first->second;
    std::string_view bytes = piece.data();
    const std::uint64_t known = next > piece.offset() ? next - piece.offset() : 0;
    bytes.remove_prefix(std::min<std::uint64_t>(known, bytes.size()));
    next = std::max(next, piece.offset() + piece.data().size());
    // The end of a lost worker's log gives way when the worker comes back.
    ends_.erase(place);
    if (piece.has_finish()) {
      ends_[place] = WhatIsWrong(piece.finish());
    }
    if (!bytes.empty() || piece.has_finish()) {
      handlers_.bytes({.attempt = place.first,
                       .step = place.second,
                       .offset = next - bytes.size(),
                       .bytes = bytes,
                       .last = piece.has_finish()});
    }
  }

  /// All was read.
  void End() const {
    for (const auto& [place, wrong] : ends_) {
      for (const std::string& text : wrong) {
        Miss(place, text);
      }
    }
  }

 private:
  void Miss(const Place& place, std::string_view text) const {
    if (handlers_.missing) {
      handlers_.missing(place.first, place.second, text);
    }
  }

  const LogQuery& query_;
  const LogHandlers& handlers_;
  std::map<Place, std::uint64_t> offsets_;          ///< of the next byte
  std::map<Place, std::vector<std::string>> ends_;  ///< what each log that has ended lacks
};

}  // namespace

/// A call that others may cut off, and that ends by itself when it is quiet for too long.
class LogClient::Call {
 public:
  Call(LogClient& client, grpc::ClientContext& context,
       std::optional<std::chrono::milliseconds> quiet_max)
      : client_(client), context_(context) {
    {
      const std::lock_guard lock(client_.mutex_);
      client_.call_ = &context;
      if (client_.cancelled_) {
        context.TryCancel();
      }
    }
    if (quiet_max) {
      watch_ = std::jthread([this, quiet_max](const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (changed_.wait_for(lock, stop, *quiet_max,
                                 [this] { return std::exchange(heard_, false); })) {
        }
        if (!stop.stop_requested()) {
          was_quiet_ = true;
          context_.TryCancel();
        }
      });
    }
  }
  ~Call() {
    const std::lock_guard lock(client_.mutex_);
    client_.call_ = nullptr;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  void Heard() {
    const std::lock_guard lock(mutex_);
    heard_ = true;
    changed_.notify_one();
  }
  /// OK: it was not.
  base::Status WhyCutOff() {
    {
      const std::lock_guard lock(client_.mutex_);
      if (client_.cancelled_) {
        return base::Cancelled("reading was cut off");
      }
    }
    const std::lock_guard lock(mutex_);
    return was_quiet_ ? base::MakeStatus(absl::StatusCode::kDeadlineExceeded, "nothing more came")
                      : base::OkStatus();
  }

 private:
  LogClient& client_;
  grpc::ClientContext& context_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool heard_ = false;
  bool was_quiet_ = false;
  std::jthread watch_;  ///< last: it uses the others
};

base::Status LogClient::Read(const LogQuery& query, const LogHandlers& handlers) {
  Reading reading(query, handlers);
  base::Status cut_off;
  const base::Status read =
      connection_.Call(true, [&](const auto& channel, grpc::ClientContext& context) {
        Call call(*this, context, query.quiet_max);
        const auto reader = pb::Logs::NewStub(channel)->Read(&context, reading.Request());
        pb::ReadLogsResponse piece;
        bool any = false;
        while (reader->Read(&piece)) {
          connection_.Progressed();
          call.Heard();
          any = true;
          reading.Take(piece);
        }
        const grpc::Status status = reader->Finish();
        // What we ended ourselves is not to be tried again.
        if (cut_off = call.WhyCutOff(); !cut_off.ok()) {
          return grpc::Status::OK;
        }
        // A reader that was sent away for being slow goes on where it was.
        return any && status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED
                   ? grpc::Status(grpc::StatusCode::UNAVAILABLE, status.error_message())
                   : status;
      });
  reading.End();
  return cut_off.ok() ? read : cut_off;
}

void LogClient::Cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (call_ != nullptr) {
    call_->TryCancel();
  }
}

}  // namespace api::client
