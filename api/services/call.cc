// SPDX-License-Identifier: Apache-2.0
#include "api/services/call.h"

#include <atomic>

namespace api::services {

namespace base = engine::base;

grpc::Status ToGrpc(const base::Status& status) {
  // The numbers are the same.
  return status.ok() ? grpc::Status::OK
                     : grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                                    std::string(base::Message(status)));
}

std::string CallerOf(const grpc::ServerContextBase& context) {
  const auto auth = context.auth_context();
  if (auth != nullptr && auth->IsPeerAuthenticated()) {
    const auto names = auth->FindPropertyValues("x509_common_name");
    if (!names.empty()) {
      return {names.front().data(), names.front().size()};
    }
  }
  return "local";
}

grpc::Status NotOwner(const Seat& seat, grpc::ServerContextBase& context) {
  const std::string owner = seat.owner();
  if (!owner.empty()) {
    context.AddTrailingMetadata(kOwnerKey, owner);
  }
  return {grpc::StatusCode::UNAVAILABLE,
          owner.empty() ? "this server does not own the runs, and nobody else seems to"
                        : "this server does not own the runs; " + owner + " does"};
}

struct Call::Open {
  explicit Open(grpc::ServerUnaryReactor* call_reactor) : reactor(call_reactor) {}
  ~Open() { Finish({grpc::StatusCode::UNAVAILABLE, "this server does not own the runs any more"}); }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;

  void Finish(const grpc::Status& status) {
    if (!finished.exchange(true)) {
      reactor->Finish(status);
    }
  }

  grpc::ServerUnaryReactor* reactor;
  std::atomic<bool> finished = false;
};

Call::Call(Seat& call_seat, grpc::CallbackServerContext* call_context)
    : seat(&call_seat),
      context(call_context),
      reactor(call_context->DefaultReactor()),
      open_(std::make_shared<Open>(reactor)) {}

void Call::Finish(const base::Status& status) const {
  open_->Finish(ToGrpc(status));
}

void Call::NotOwner() const {
  open_->Finish(services::NotOwner(*seat, *context));
}

}  // namespace api::services
