// SPDX-License-Identifier: Apache-2.0
#include "apps/network/log_gate.h"

#include <utility>

namespace apps::network {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;

namespace {

base::Status NotHere() {
  return base::Unavailable("this server does not own the runs");
}

}  // namespace

/// A reader's way into the store, which may be taken away from it at any moment.
class LogGate::Way : public std::enable_shared_from_this<Way> {
 public:
  using Handler = ports::LogReader::Handler;
  using Answer = base::StatusOr<std::optional<ports::LogPiece>>;

  Way(std::function<void(std::function<void()>)> post, std::unique_ptr<ports::LogReader> inner)
      : post_(std::move(post)), inner_(std::move(inner)) {}

  void Next(Handler handler) {
    const std::lock_guard lock(mutex_);
    handler_ = std::move(handler);
    if (inner_ == nullptr) {
      return post_([weak = weak_from_this()] { Tell(weak, NotHere()); });
    }
    inner_->Next([weak = weak_from_this()](Answer answer) { Tell(weak, std::move(answer)); });
  }

  void Settle(std::vector<model::LogKey> expected) {
    const std::lock_guard lock(mutex_);
    if (inner_ != nullptr) {
      inner_->Settle(std::move(expected));
    }
  }

  /// The store is about to go: when this returns nothing of it is used any more.
  void Cut() {
    const std::lock_guard lock(mutex_);
    inner_.reset();
    if (handler_ != nullptr) {
      post_([weak = weak_from_this()] { Tell(weak, NotHere()); });
    }
  }

  /// The reader is gone.
  void Leave() {
    const std::lock_guard lock(mutex_);
    inner_.reset();
    handler_ = nullptr;
  }

 private:
  static void Tell(const std::weak_ptr<Way>& weak, Answer answer) {
    const std::shared_ptr<Way> self = weak.lock();
    if (self == nullptr) {
      return;
    }
    Handler handler;
    {
      const std::lock_guard lock(self->mutex_);
      handler = std::exchange(self->handler_, nullptr);
    }
    if (handler != nullptr) {
      handler(std::move(answer));
    }
  }

  const std::function<void(std::function<void()>)> post_;
  std::mutex mutex_;
  std::unique_ptr<ports::LogReader> inner_;
  Handler handler_;  ///< of the call under way
};

class LogGate::Reader final : public ports::LogReader {
 public:
  Reader(std::shared_ptr<Way> way, std::function<void()> settling)
      : way_(std::move(way)), settling_(std::move(settling)) {}
  ~Reader() override { way_->Leave(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  void Next(Handler handler) override { way_->Next(std::move(handler)); }
  void Settle(std::vector<model::LogKey> expected) override {
    settling_();
    way_->Settle(std::move(expected));
  }

 private:
  const std::shared_ptr<Way> way_;
  const std::function<void()> settling_;
};

void LogGate::Begin(Parts parts) {
  const std::unique_lock lock(mutex_);
  parts_ = std::move(parts);
}

void LogGate::End() {
  std::vector<std::weak_ptr<Way>> readers;
  {
    const std::unique_lock lock(mutex_);
    parts_ = {};
    const std::lock_guard inside(readers_mutex_);
    readers = std::exchange(readers_, {});
  }
  for (const std::weak_ptr<Way>& reader : readers) {
    if (const std::shared_ptr<Way> way = reader.lock()) {
      way->Cut();
    }
  }
}

void LogGate::OnBatch(model::WorkerId worker, const dayfly::v1::LogBatch& batch,
                      const Answer& answer) {
  const std::shared_lock lock(mutex_);
  if (parts_.acceptor != nullptr) {
    parts_.acceptor->OnBatch(worker, batch, answer);
  }
}

void LogGate::OnEnd(model::WorkerId worker, const dayfly::v1::LogEnd& end, const Answer& answer) {
  const std::shared_lock lock(mutex_);
  if (parts_.acceptor != nullptr) {
    parts_.acceptor->OnEnd(worker, end, answer);
  }
}

void LogGate::OnCut(model::WorkerId worker, const dayfly::v1::LogEnd& end, const Answer& answer) {
  const std::shared_lock lock(mutex_);
  if (parts_.acceptor != nullptr) {
    parts_.acceptor->OnCut(worker, end, answer);
  }
}

std::unique_ptr<ports::LogReader> LogGate::Open(ports::LogRequest request) {
  const std::shared_lock lock(mutex_);
  const model::RunId run = request.logs.run;
  auto way = std::make_shared<Way>(
      post_, parts_.feed == nullptr ? nullptr : parts_.feed->Open(std::move(request)));
  {
    const std::lock_guard inside(readers_mutex_);
    std::erase_if(readers_, [](const auto& reader) { return reader.expired(); });
    readers_.push_back(way);
  }
  return std::make_unique<Reader>(std::move(way), [this, run] {
    std::function<void(model::RunId)> settling;
    {
      const std::shared_lock inside(mutex_);
      settling = parts_.settling;
    }
    if (settling) {
      settling(run);
    }
  });
}

base::StatusOr<std::map<model::LogKey, model::LogState>> LogGate::List(
    const ports::LogSelection& selection) {
  const std::shared_lock lock(mutex_);
  if (parts_.feed == nullptr) {
    return NotHere();
  }
  return parts_.feed->List(selection);
}

}  // namespace apps::network
