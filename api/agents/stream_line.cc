// SPDX-License-Identifier: Apache-2.0
#include "api/agents/stream_line.h"

#include <utility>
#include <variant>

#include "api/wire/agent_messages.h"
#include "api/wire/grpc_status.h"

namespace api::agents {

namespace base = engine::base;
namespace model = engine::model;
namespace pb = dayfly::v1;

namespace {

// Log bytes are a sign of life; one in so long is enough.
constexpr auto kHeardEvery = std::chrono::milliseconds(500);

}  // namespace

class StreamLine::HubStream : public hub::AgentStream {
 public:
  explicit HubStream(std::shared_ptr<StreamLine> line) : line_(std::move(line)) {}
  void Send(const model::ServerMessage& message) override {
    pb::ServerMessage out;
    wire::ToWire(message, &out);
    line_->Write(std::move(out));
  }
  void Close(const base::Status& status) override {
    line_->over_ = true;
    line_->Finish(status);
  }

 private:
  std::shared_ptr<StreamLine> line_;
};

void StreamLine::Admit(const base::StatusOr<hub::WorkerIdentity>& who) {
  if (!who.ok()) {
    return Finish(who.status());
  }
  const std::lock_guard lock(mutex_);
  who_ = *who;
  ReadNext();
}

// ---- reading

void StreamLine::ReadNext() {
  if (reactor_ != nullptr && !end_ && !reading_ && under_way_ < kUnderWayMax) {
    reading_ = true;
    reactor_->StartRead(&incoming_);
  }
}

void StreamLine::OnRead(bool ok) {
  if (ok) {
    Take(incoming_);
  }
  const std::lock_guard lock(mutex_);
  reading_ = false;
  if (!ok && !end_) {
    end_ = base::OkStatus();
  }
  ReadNext();
  MaybeFinish();
}

void StreamLine::Take(const pb::AgentMessage& message) {
  if (wire::IsLogMessage(message)) {
    return TakeLog(message);
  }
  auto value = wire::AgentMessageFrom(message);
  if (!value.ok()) {
    return Finish(value.status());
  }
  if (!std::exchange(greeted_, true) && !std::holds_alternative<model::AgentHello>(*value)) {
    return Finish(base::InvalidArgument("hello: must be the first message"));
  }
  Deliver(*std::move(value));
}

void StreamLine::TakeLog(const pb::AgentMessage& message) {
  if (const base::Status status = wire::CheckLogMessage(message); !status.ok() || !greeted_) {
    return Finish(status.ok() ? base::InvalidArgument("hello: must be the first message") : status);
  }
  Heard();
  if (logs_ == nullptr) {
    return Finish(base::Unimplemented("this server takes no logs"));
  }
  const LogIntake::Answer answer = [self = shared_from_this()](pb::LogAcknowledged acknowledged) {
    pb::ServerMessage out;
    *out.mutable_log_acknowledged() = std::move(acknowledged);
    self->Write(std::move(out));
  };
  if (message.has_log_batch()) {
    logs_->OnBatch(who_.worker, message.log_batch(), answer);
  } else {
    logs_->OnEnd(who_.worker, message.log_end(), answer);
  }
}

void StreamLine::Heard() {
  const auto now = std::chrono::steady_clock::now();
  if (now - heard_ < kHeardEvery) {
    return;
  }
  heard_ = now;
  gate_->Post([self = shared_from_this()](Gate& gate) {
    if (gate.hub() != nullptr && self->stream_ != nullptr) {
      gate.hub()->Heard(*self->stream_, self->who_.worker);
    }
  });
}

// ---- to the engine's thread and back

void StreamLine::Deliver(model::AgentMessage message) {
  {
    const std::lock_guard lock(mutex_);
    ++under_way_;
  }
  gate_->Post([self = shared_from_this(), message = std::move(message)](Gate& gate) mutable {
    if (gate.hub() == nullptr) {
      self->Finish(base::Unavailable("this server does not own the shard"), gate.owner());
    } else if (!self->over_) {
      if (self->stream_ == nullptr) {
        self->stream_ = std::make_shared<HubStream>(self);
        gate.hub()->Connected(self->stream_, self->who_, std::get<model::AgentHello>(message));
      } else {
        gate.hub()->Received(*self->stream_, self->who_.worker, std::move(message));
      }
    }
    self->Delivered();
  });
}

void StreamLine::Delivered() {
  const std::lock_guard lock(mutex_);
  --under_way_;
  ReadNext();
}

// ---- writing

void StreamLine::Write(pb::ServerMessage message) {
  const std::lock_guard lock(mutex_);
  if (reactor_ == nullptr || end_) {
    return;
  }
  if (outgoing_.size() >= kOutgoingMax) {
    end_ = base::ResourceExhausted("the agent does not read what it is told");
    context_->TryCancel();  // the write under way may never end by itself
    return;
  }
  outgoing_.push_back(std::move(message));
  WriteNext();
}

void StreamLine::WriteNext() {
  if (writing_ || outgoing_.empty() || end_ || reactor_ == nullptr) {
    return;
  }
  writing_ = true;
  grpc::WriteOptions options;
  if (outgoing_.size() > 1) {
    options.set_buffer_hint();  // more follows at once: fewer packets
  }
  reactor_->StartWrite(&outgoing_.front(), options);
}

void StreamLine::OnWritten(bool ok) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  outgoing_.pop_front();
  if (!ok && !end_) {
    end_ = base::OkStatus();
  }
  WriteNext();
  MaybeFinish();
}

// ---- the end

void StreamLine::Finish(const base::Status& status, const std::string& owner) {
  const std::lock_guard lock(mutex_);
  if (!end_) {
    end_ = status;
    owner_ = owner;
  }
  MaybeFinish();
}

void StreamLine::OnCancelled() {
  Finish(base::Cancelled("the stream was cut"));
}

// A write that is under way ends first; a read is ended by gRPC.
void StreamLine::MaybeFinish() {
  if (!end_ || writing_ || finished_ || reactor_ == nullptr) {
    return;
  }
  finished_ = true;
  if (!owner_.empty()) {
    context_->AddTrailingMetadata("dayfly-owner", owner_);
  }
  reactor_->Finish(wire::ToGrpc(*end_));
}

void StreamLine::OnDone() {
  {
    const std::lock_guard lock(mutex_);
    reactor_ = nullptr;
    context_ = nullptr;
    outgoing_.clear();
  }
  gate_->Post([self = shared_from_this()](Gate& gate) {
    if (gate.hub() != nullptr && self->stream_ != nullptr) {
      gate.hub()->Ended(*self->stream_, self->who_.worker);
    }
    self->over_ = true;
    self->stream_.reset();
  });
}

}  // namespace api::agents
