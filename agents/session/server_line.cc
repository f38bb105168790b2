// SPDX-License-Identifier: Apache-2.0
#include "agents/session/server_line.h"

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

#include "api/wire/agent_messages.h"
#include "api/wire/channels.h"
#include "api/wire/grpc_status.h"

namespace agents::session {
namespace {

namespace asio = boost::asio;
namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;
namespace wire = api::wire;

constexpr auto kRenewWithin = std::chrono::seconds(20);

std::string OwnerIn(const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto owner = trailers.find("dayfly-owner");
  return owner == trailers.end() ? "" : std::string(owner->second.data(), owner->second.size());
}

class Line;

/// gRPC's side; keeps the line alive until gRPC has done with the call.
class Reactor final : public grpc::ClientBidiReactor<pb::AgentMessage, pb::ServerMessage> {
 public:
  explicit Reactor(std::shared_ptr<Line> line) : line_(std::move(line)) {}
  void OnReadInitialMetadataDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  std::shared_ptr<Line> line_;
};

class Line final : public ServerLine, public std::enable_shared_from_this<Line> {
 public:
  Line(asio::io_context& io, LineEvents events, std::shared_ptr<CallsUnderWay> calls)
      : io_(io), events_(std::move(events)), calls_(std::move(calls)) {}

  const std::shared_ptr<CallsUnderWay>& calls() const { return calls_; }
  asio::io_context& io() const { return io_; }

  void Dial(const std::string& address, const std::string& authority, const wire::KeyPair& client) {
    stub_ = pb::Agents::NewStub(wire::MakeChannel(address, authority, client));
    reactor_ = std::make_unique<Reactor>(shared_from_this());
    calls_->Begin();
    stub_->async()->Session(&context_, reactor_.get());
    // Held until the end: writes come from outside of reactions.
    reactor_->AddHold();
    reactor_->StartRead(&incoming_);
    reactor_->StartCall();
    Tell([](const LineEvents& events) { events.up(); });
  }

  void Send(pb::AgentMessage message) override {
    const std::lock_guard lock(mutex_);
    if (!broken_) {
      outgoing_.push_back(std::move(message));
      WriteNext();
    }
  }

  void HangUp() override {
    silent_ = true;
    const std::lock_guard lock(mutex_);
    if (const auto renewing = renewing_.lock()) {
      renewing->TryCancel();
    }
    Break();
  }

  void Renew(const std::string& request, Renewed done) override {
    struct Call {
      grpc::ClientContext context;
      pb::RenewRequest ask;
      pb::RenewResponse answer;
    };
    auto call = std::make_shared<Call>();
    call->context.set_deadline(std::chrono::system_clock::now() + kRenewWithin);
    call->ask.set_certificate_request(request);
    calls_->Begin();
    {
      const std::lock_guard lock(mutex_);
      renewing_ = std::shared_ptr<grpc::ClientContext>(call, &call->context);
    }
    stub_->async()->Renew(&call->context, &call->ask, &call->answer,
                          [self = shared_from_this(), call,
                           done = std::move(done)](const grpc::Status& status) mutable {
                            const std::shared_ptr<CallsUnderWay> calls = self->calls_;
                            asio::io_context& io = self->io_;
                            asio::post(io, [self = std::move(self), call, done, status] {
                              done(status.ok() ? base::StatusOr<pb::RenewResponse>(call->answer)
                                               : wire::FromGrpc(status));
                            });
                            calls->End();
                          });
  }

  // ---- reactions

  void OnRead(bool ok) {
    if (ok) {
      Take();
    }
    const std::lock_guard lock(mutex_);
    if (ok && !broken_) {
      reactor_->StartRead(&incoming_);
    } else {
      Break();
    }
  }

  void OnWritten(bool ok) {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    outgoing_.pop_front();
    if (ok) {
      WriteNext();
    } else {
      Break();
    }
    Release();
  }

  void OnDone(const grpc::Status& status) {
    Tell([status = complaint_.ok() ? wire::FromGrpc(status) : complaint_,
          owner = OwnerIn(context_)](const LineEvents& events) { events.ended(status, owner); });
    // The reactor is further up the stack.
    asio::post(io_, [reactor = std::shared_ptr<Reactor>(std::move(reactor_))] {});
  }

 private:
  // A message that cannot be understood ends the stream: what it said would be missing.
  void Take() {
    if (wire::IsLogMessage(incoming_)) {
      complaint_ = wire::CheckLogMessage(incoming_);
      if (complaint_.ok()) {
        Tell([told = std::move(*incoming_.mutable_log_acknowledged())](const LineEvents& events) {
          if (events.log_acknowledged) {
            events.log_acknowledged(told);
          }
        });
        return;
      }
    } else {
      auto message = wire::ServerMessageFrom(incoming_);
      complaint_ = message.status();
      if (message.ok()) {
        Tell(
            [message = *std::move(message)](const LineEvents& events) { events.message(message); });
        return;
      }
    }
    const std::lock_guard lock(mutex_);
    Break();
  }

  template <typename What>
  void Tell(What what) {
    asio::post(io_, [self = shared_from_this(), what = std::move(what)] {
      if (!self->silent_) {
        what(self->events_);
      }
    });
  }

  // The rest with `mutex_` held; gRPC never reacts inside of such a call.
  void WriteNext() {
    if (!writing_ && !outgoing_.empty() && !broken_) {
      writing_ = true;
      grpc::WriteOptions options;
      if (outgoing_.size() > 1) {
        options.set_buffer_hint();
      }
      reactor_->StartWrite(&outgoing_.front(), options);
    }
  }
  void Break() {
    if (!std::exchange(broken_, true)) {
      context_.TryCancel();
    }
    Release();
  }
  // Without the hold gRPC may be done with the call at any moment: no write starts after it.
  void Release() {
    if (broken_ && !writing_ && !std::exchange(released_, true)) {
      reactor_->RemoveHold();
    }
  }

  asio::io_context& io_;
  LineEvents events_;
  const std::shared_ptr<CallsUnderWay> calls_;
  bool silent_ = false;  ///< on the io_context's thread

  std::unique_ptr<pb::Agents::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<Reactor> reactor_;
  base::Status complaint_;  ///< in reactions to reads

  std::mutex mutex_;
  pb::ServerMessage incoming_;
  std::deque<pb::AgentMessage> outgoing_;  ///< the first is being written
  std::weak_ptr<grpc::ClientContext> renewing_;
  bool writing_ = false;
  bool broken_ = false;
  bool released_ = false;
};

void Reactor::OnReadInitialMetadataDone(bool /*ok*/) {}
void Reactor::OnReadDone(bool ok) {
  line_->OnRead(ok);
}
void Reactor::OnWriteDone(bool ok) {
  line_->OnWritten(ok);
}
void Reactor::OnDone(const grpc::Status& status) {
  std::shared_ptr<Line> line = std::move(line_);  // which owns this
  const std::shared_ptr<CallsUnderWay> calls = line->calls();
  line->OnDone(status);
  // The last channel that goes joins gRPC's threads, so it must not go on one of them.
  asio::io_context& io = line->io();
  asio::post(io, [line = std::move(line)] {});
  calls->End();
}

}  // namespace

void CallsUnderWay::Begin() {
  const std::lock_guard lock(mutex_);
  ++count_;
}

void CallsUnderWay::End() {
  const std::lock_guard lock(mutex_);
  --count_;
  none_.notify_all();
}

void CallsUnderWay::Wait() {
  std::unique_lock lock(mutex_);
  none_.wait(lock, [this] { return count_ == 0; });
}

std::shared_ptr<ServerLine> ServerLine::Open(asio::io_context& io, const std::string& address,
                                             const std::string& authority,
                                             const wire::KeyPair& client, LineEvents events,
                                             std::shared_ptr<CallsUnderWay> calls) {
  auto line = std::make_shared<Line>(io, std::move(events), std::move(calls));
  line->Dial(address, authority, client);
  return line;
}

}  // namespace agents::session
