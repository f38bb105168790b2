// SPDX-License-Identifier: Apache-2.0
#include "api/services/logs_service.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "api/services/call.h"
#include "api/services/run_feeds.h"
#include "api/services/run_lookup.h"
#include "api/wire/request_fields.h"

namespace api::services {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;
namespace ports = engine::ports;

namespace {

constexpr int kCursorsMax = 100'000;

base::Status CheckRequest(const pb::ReadLogsRequest& request) {
  RETURN_IF_ERROR(wire::CheckRunName(request.run(), "run"));
  if (request.has_attempt() && request.attempt() == 0) {
    return base::InvalidArgument("attempt: 0; they count from 1");
  }
  return request.from_size() <= kCursorsMax
             ? base::OkStatus()
             : base::InvalidArgument("from: {} of them, at most {}", request.from_size(),
                                     kCursorsMax);
}

ports::LogRequest RequestOf(const pb::ReadLogsRequest& request, model::RunId run) {
  ports::LogRequest out;
  out.logs.run = run;
  if (request.has_job()) {
    out.logs.job = model::JobIndex(request.job());
  }
  if (request.has_attempt()) {
    out.logs.attempt = request.attempt();
  }
  if (request.has_step()) {
    out.logs.step = model::StepIndex(request.step());
  }
  for (const pb::LogCursor& cursor : request.from()) {
    const model::AttemptKey attempt{
        .run = run, .job = model::JobIndex(cursor.job()), .attempt = cursor.attempt()};
    out.from[{.attempt = attempt, .step = model::StepIndex(cursor.step())}] = cursor.offset();
  }
  if (request.has_tail_lines()) {
    out.tail_lines = request.tail_lines();
  }
  out.follow = request.follow();
  return out;
}

void ToWire(const ports::LogPiece& piece, pb::ReadLogsResponse& out) {
  out.set_job(piece.log.attempt.job.value());
  out.set_attempt(piece.log.attempt.attempt);
  out.set_step(piece.log.step.value());
  out.set_offset(piece.offset);
  out.set_data(piece.bytes.data(), piece.bytes.size());
  if (!piece.end) {
    return;
  }
  pb::LogFinish* finish = out.mutable_finish();
  finish->set_length(piece.end->length);
  finish->set_truncated(piece.end->truncated);
  finish->set_cut(piece.end->cut);
  finish->set_damaged(piece.end->damaged);
  for (const model::ByteRange& range : piece.end->lost) {
    pb::LogLostRange* lost = finish->add_lost();
    lost->set_begin(range.begin);
    lost->set_end(range.end);
  }
}

// The reader is gone, or this server is leaving: then the reader asks the next one.
grpc::Status CutOff() {
  return {grpc::StatusCode::UNAVAILABLE, "the call was cut off"};
}

/// One reader. Its pieces come on the feed's threads, its writes end on gRPC's; the mutex keeps a
/// write from following the end.
class LogStream final : public grpc::ServerWriteReactor<pb::ReadLogsResponse>,
                        public std::enable_shared_from_this<LogStream> {
 public:
  LogStream(Seat& seat, ports::LogFeed& logs, const WatchOptions& options,
            std::atomic<int>& reading, grpc::CallbackServerContext& context,
            const pb::ReadLogsRequest& request)
      : seat_(seat),
        logs_(logs),
        options_(options),
        reading_(reading),
        context_(context),
        request_(request) {}

  void Begin() {
    self_ = shared_from_this();
    base::Status fits = CheckRequest(request_);
    if (++reading_ > options_.watchers_max) {
      fits =
          base::ResourceExhausted("{} read logs already; try again later", options_.watchers_max);
    }
    if (!fits.ok()) {
      return End(ToGrpc(fits));
    }
    seat_.OnEngine(
        [self = self_](Shard* shard) { shard == nullptr ? self->Lost() : self->Find(*shard); });
  }

  void OnWriteDone(bool ok) override {
    if (!ok) {
      return End(CutOff());
    }
    if (std::chrono::steady_clock::now() - written_at_ > options_.patience) {
      return End(
          ToGrpc(base::ResourceExhausted("the reader is too slow; it may go on from where "
                                         "it is")));
    }
    Next();
  }

  void OnCancel() override { End(CutOff()); }

  void OnDone() override {
    --reading_;
    const std::shared_ptr<LogStream> last = std::move(self_);
    const std::lock_guard lock(mutex_);
    reader_.reset();
  }

 private:
  void Find(Shard& shard) {
    FindRun(seat_, shard, request_.run(), [self = self_](base::StatusOr<FeedRef> feed) {
      feed.ok() ? self->Open(*std::move(feed)) : self->End(ToGrpc(feed.status()));
    });
  }

  // On the engine's thread.
  void Open(FeedRef feed) {
    {
      const std::lock_guard lock(mutex_);
      if (ended_) {
        return;
      }
      reader_ = logs_.Open(RequestOf(request_, feed->run()));
    }
    if (request_.follow()) {
      AwaitEnd(std::move(feed));
    }
    Next();
  }

  // On the engine's thread: once the run is over, the reader need not wait for more logs.
  void AwaitEnd(FeedRef feed) {
    if (feed->complete()) {
      const std::lock_guard lock(mutex_);
      if (reader_ != nullptr) {
        reader_->Settle(feed->logs());
      }
      return;
    }
    if (Shard* shard = seat_.shard(); shard != nullptr) {
      shard->feeds->Wait(feed->run(), feed->events(), [weak = weak_from_this()](FeedRef then) {
        const auto self = weak.lock();
        if (self != nullptr && then != nullptr) {
          self->AwaitEnd(std::move(then));
        }
      });
    }
  }

  void Next() {
    const std::lock_guard lock(mutex_);
    if (!ended_ && reader_ != nullptr) {
      reader_->Next([weak = weak_from_this()](auto piece) {
        if (const auto self = weak.lock()) {
          self->Take(std::move(piece));
        }
      });
    }
  }

  void Take(base::StatusOr<std::optional<ports::LogPiece>> piece) {
    response_.Clear();
    if (!piece.ok()) {
      if (piece.status().code() != absl::StatusCode::kDataLoss) {
        return End(ToGrpc(piece.status()));
      }
      response_.set_missing(std::string(base::Message(piece.status())));
    } else if (!*piece) {
      return End(grpc::Status::OK);
    } else {
      ToWire(**piece, response_);
    }
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      written_at_ = std::chrono::steady_clock::now();
      StartWrite(&response_);
    }
  }

  void Lost() { End(NotOwner(seat_, context_)); }

  void End(const grpc::Status& status) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(ended_, true)) {
      Finish(status);
    }
  }

  Seat& seat_;
  ports::LogFeed& logs_;
  const WatchOptions options_;
  std::atomic<int>& reading_;
  grpc::CallbackServerContext& context_;
  const pb::ReadLogsRequest request_;
  std::shared_ptr<LogStream> self_;
  pb::ReadLogsResponse response_;  ///< being written
  std::chrono::steady_clock::time_point written_at_;
  std::mutex mutex_;
  std::unique_ptr<ports::LogReader> reader_;  ///< under `mutex_`
  bool ended_ = false;                        ///< under `mutex_`
};

}  // namespace

grpc::ServerWriteReactor<pb::ReadLogsResponse>* LogsService::Read(
    grpc::CallbackServerContext* context, const pb::ReadLogsRequest* request) {
  const auto stream =
      std::make_shared<LogStream>(seat_, logs_, options_, reading_, *context, *request);
  stream->Begin();
  return stream.get();
}

}  // namespace api::services
