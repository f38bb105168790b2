// SPDX-License-Identifier: Apache-2.0
#include "api/services/watch_stream.h"

#include <chrono>
#include <optional>
#include <utility>

#include "api/services/call.h"
#include "api/services/run_feeds.h"
#include "api/services/run_lookup.h"
#include "api/wire/request_fields.h"

namespace api::services {

namespace base = engine::base;
namespace pb = dayfly::v1;

namespace {

// The reader is gone, or this server is leaving: then the reader asks the next one.
base::Status CutOff() {
  return base::Unavailable("the call was cut off");
}

/// Lives until gRPC is done with it and nothing is posted for it any more. But for the three
/// reactions everything is on the engine's thread.
class WatchStream final : public grpc::ServerWriteReactor<pb::WatchResponse>,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  WatchStream(const WatchParts& parts, grpc::CallbackServerContext& context,
              const pb::WatchRequest& request)
      : parts_(parts),
        context_(context),
        name_(request.run()),
        position_(request.position()),
        history_only_(request.history_only()) {}

  void Begin() {
    self_ = shared_from_this();
    base::Status fits = wire::CheckRunName(name_, "run");
    if (++*parts_.watching > parts_.options.watchers_max) {
      fits =
          base::ResourceExhausted("{} watch already; try again later", parts_.options.watchers_max);
    }
    parts_.seat->OnEngine(
        [self = self_, fits](Shard* shard) { fits.ok() ? self->Find(shard) : self->End(fits); });
  }

  void OnWriteDone(bool ok) override {
    const bool late = std::chrono::steady_clock::now() - written_at_ > parts_.options.patience;
    parts_.seat->OnEngine([self = self_, ok, late](Shard*) {
      if (!ok) {
        self->End(CutOff());
      } else if (late) {
        self->End(base::ResourceExhausted("the reader is too slow; it may go on at position {}",
                                          self->position_));
      } else {
        self->Next();
      }
    });
  }

  void OnCancel() override {
    parts_.seat->OnEngine([self = self_](Shard*) { self->End(CutOff()); });
  }

  void OnDone() override {
    --*parts_.watching;
    // The last reference may be ours, and posted work may hold another.
    const std::shared_ptr<WatchStream> last = std::move(self_);
  }

 private:
  void Find(Shard* shard) {
    if (shard == nullptr) {
      return Lost();
    }
    FindRun(*parts_.seat, *shard, name_, [self = self_](base::StatusOr<FeedRef> feed) {
      if (!feed.ok()) {
        return self->End(feed.status());
      }
      self->feed_ = *std::move(feed);
      self->CheckPosition();
    });
  }

  void CheckPosition() {
    if (ended_) {
      return;
    }
    if (position_ > feed_->events()) {
      return End(base::InvalidArgument("position: {}, but only {} events are known", position_,
                                       feed_->events()));
    }
    *response_.mutable_outline() = feed_->Outline();
    Write();
  }

  void Next() {
    if (ended_) {
      return;
    }
    if (position_ < feed_->events()) {
      RunFeed::Piece piece = feed_->Read(position_);
      position_ = piece.next;
      if (!response_.mutable_events()->ParseFromString(piece.encoded)) {
        return End(base::Internal("an event cannot be read back"));
      }
      return Write();
    }
    if (feed_->complete() || history_only_) {
      return End(base::OkStatus());
    }
    Shard* shard = parts_.seat->shard();
    if (shard == nullptr) {
      return Lost();
    }
    ticket_ = shard->feeds->Wait(feed_->run(), position_, [self = self_](const FeedRef& feed) {
      self->ticket_.reset();
      feed == nullptr ? self->Lost() : self->Next();
    });
  }

  void Write() {
    written_at_ = std::chrono::steady_clock::now();
    StartWrite(&response_);
  }

  void Lost() {
    if (!std::exchange(ended_, true)) {
      Finish(NotOwner(*parts_.seat, context_));
    }
  }

  void End(const base::Status& status) {
    if (std::exchange(ended_, true)) {
      return;
    }
    if (ticket_ && parts_.seat->shard() != nullptr) {
      parts_.seat->shard()->feeds->Cancel(*ticket_);
    }
    Finish(ToGrpc(status));
  }

  WatchParts parts_;
  grpc::CallbackServerContext& context_;
  const std::string name_;
  std::uint64_t position_;
  const bool history_only_;
  std::shared_ptr<WatchStream> self_;
  pb::WatchResponse response_;  ///< being written
  std::chrono::steady_clock::time_point written_at_;
  FeedRef feed_;
  std::optional<RunFeeds::Ticket> ticket_;
  bool ended_ = false;
};

}  // namespace

grpc::ServerWriteReactor<pb::WatchResponse>* StartWatch(const WatchParts& parts,
                                                        grpc::CallbackServerContext& context,
                                                        const pb::WatchRequest& request) {
  const auto stream = std::make_shared<WatchStream>(parts, context, request);
  stream->Begin();
  return stream.get();
}

}  // namespace api::services
