// SPDX-License-Identifier: Apache-2.0
#include "agents/runner/ready_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

namespace agents::runner {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;

// Most services are up within some tens of milliseconds; those that take long are asked seldom.
constexpr std::chrono::milliseconds kFirstPause(10);
constexpr std::chrono::milliseconds kLongestPause(500);

}  // namespace

/// Outlives the watch while handlers refer to it; then it does nothing.
class ReadyWatch::Round : public std::enable_shared_from_this<ReadyWatch::Round> {
 public:
  Round(asio::io_context& io, Done done) : io_(io), done_(std::move(done)) {}

  void Begin(std::vector<Service> services) {
    for (Service& service : services) {
      waits_.push_back(std::make_unique<Wait>(io_, std::move(service)));
    }
    open_ = waits_.size();
    for (const std::unique_ptr<Wait>& wait : waits_) {
      SetDeadline(*wait);
      Ask(*wait);
    }
    if (waits_.empty()) {
      End(std::nullopt);
    }
  }
  void Drop() {
    done_ = nullptr;
    waits_.clear();
  }

 private:
  struct Wait {
    Wait(asio::io_context& io, Service what) : service(std::move(what)), pause(io), deadline(io) {}
    Service service;
    std::size_t next = 0;  ///< the check that is asked
    std::string missing = "it has not answered yet";
    std::chrono::milliseconds pause_length = kFirstPause;
    asio::steady_timer pause;
    asio::steady_timer deadline;
  };

  /// A timer's handler: nothing when it was cancelled or the round is over.
  template <typename Handler>
  auto OnTime(Handler handler) {
    return [weak = weak_from_this(), handler](const boost::system::error_code& error) {
      const std::shared_ptr<Round> self = weak.lock();
      if (!error && self != nullptr && self->done_ != nullptr) {
        handler(*self);
      }
    };
  }

  void SetDeadline(Wait& wait) {
    wait.deadline.expires_after(wait.service.timeout);
    wait.deadline.async_wait(OnTime([&wait](Round& self) {
      self.End(Late{.step = wait.service.step,
                    .why = fmt::format("{} was not ready after {}: {}", wait.service.name,
                                       base::FormatDuration(wait.service.timeout), wait.missing)});
    }));
  }

  void Ask(Wait& wait) {
    if (wait.next == wait.service.checks.size()) {
      wait.deadline.cancel();
      if (--open_ == 0) {
        End(std::nullopt);
      }
      return;
    }
    wait.service.checks[wait.next]->Ask([weak = weak_from_this(), &wait](std::string missing) {
      const std::shared_ptr<Round> self = weak.lock();
      if (self != nullptr && self->done_ != nullptr) {
        self->Answered(wait, std::move(missing));
      }
    });
  }

  void Answered(Wait& wait, std::string missing) {
    if (missing.empty()) {
      ++wait.next;
      wait.pause_length = kFirstPause;
      return Ask(wait);
    }
    wait.missing = std::move(missing);
    wait.pause.expires_after(wait.pause_length);
    wait.pause_length = std::min(wait.pause_length * 2, kLongestPause);
    wait.pause.async_wait(OnTime([&wait](Round& self) { self.Ask(wait); }));
  }

  /// Tells it from a handler of its own: checks may be on the stack.
  void End(std::optional<Late> late) {
    asio::post(io_, [weak = weak_from_this(), late = std::move(late)] {
      const std::shared_ptr<Round> self = weak.lock();
      if (self == nullptr) {
        return;
      }
      if (const Done done = std::exchange(self->done_, nullptr)) {
        self->waits_.clear();
        done(late);
      }
    });
  }

  asio::io_context& io_;
  Done done_;
  std::vector<std::unique_ptr<Wait>> waits_;
  std::size_t open_ = 0;
};

ReadyWatch::ReadyWatch(asio::io_context& io, std::vector<Service> services, Done done)
    : round_(std::make_shared<Round>(io, std::move(done))) {
  round_->Begin(std::move(services));
}

ReadyWatch::~ReadyWatch() {
  round_->Drop();
}

}  // namespace agents::runner
