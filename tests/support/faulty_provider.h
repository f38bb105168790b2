// SPDX-License-Identifier: Apache-2.0
// For tests: a provider around another whose calls fail, with and without having been done, come
// twice, or are answered late.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "engine/ports/worker_provider.h"

namespace tests::support {

enum class ProviderFault : std::uint8_t {
  kNone,
  kNotDone,     ///< `Unavailable`, and nothing happened
  kDoneUnsaid,  ///< `Unavailable`, and it happened
  kTwice,       ///< the order arrives twice
  kSlow,        ///< other things happen first
};

class FaultyProvider : public engine::ports::WorkerProvider {
 public:
  using Draw = std::function<ProviderFault()>;
  FaultyProvider(boost::asio::io_context& io, std::unique_ptr<engine::ports::WorkerProvider> inner,
                 Draw draw)
      : io_(io), inner_(std::move(inner)), draw_(std::move(draw)) {}

  void Launch(const engine::ports::LaunchOrder& order, Done done) override {
    Perform([this, order](Done each) { inner_->Launch(order, std::move(each)); }, std::move(done));
  }
  void Terminate(const engine::ports::LaunchId& launch, Done done) override {
    Perform([this, launch](Done each) { inner_->Terminate(launch, std::move(each)); },
            std::move(done));
  }
  void Forget(const engine::ports::LaunchId& launch) override {
    inner_->Forget(launch);
    inner_->Forget(launch);
  }
  void List(Listed listed) override {
    if (draw_() != ProviderFault::kNotDone) {
      return inner_->List(std::move(listed));
    }
    boost::asio::post(io_, [listed = std::move(listed)] {
      listed(engine::base::Unavailable("the provider does not answer"));
    });
  }
  /// Each change is told twice, as the seam allows.
  void Watch(Changed changed) override {
    inner_->Watch([changed = std::move(changed)](const engine::ports::LaunchState& state) {
      changed(state);
      changed(state);
    });
  }

 private:
  using Call = std::function<void(Done)>;
  void Perform(const Call& call, Done done) {
    const auto unknown = [done](const engine::base::Status&) {
      done(engine::base::Unavailable("the outcome is unknown"));
    };
    switch (draw_()) {
      case ProviderFault::kNone:
        return call(std::move(done));
      case ProviderFault::kNotDone:
        boost::asio::post(io_, [unknown] { unknown(engine::base::OkStatus()); });
        return;
      case ProviderFault::kDoneUnsaid:
        return call(unknown);
      case ProviderFault::kTwice:
        call([](const engine::base::Status&) {});
        return call(std::move(done));
      case ProviderFault::kSlow:
        boost::asio::post(
            io_, [io = &io_, call, done] { boost::asio::post(*io, [call, done] { call(done); }); });
        return;
    }
  }

  boost::asio::io_context& io_;
  std::unique_ptr<engine::ports::WorkerProvider> inner_;
  Draw draw_;
};

}  // namespace tests::support
