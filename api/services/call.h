// SPDX-License-Identifier: Apache-2.0
// What the handlers of all services share: who calls, and how our errors travel.
#pragma once

#include <string>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include "api/services/seat.h"
#include "engine/base/status.h"
#include "engine/model/ids.h"

namespace api::services {

/// The same code, the same message.
grpc::Status ToGrpc(const engine::base::Status& status);

/// The name in the caller's certificate; `local` for the server's own socket.
std::string CallerOf(const grpc::ServerContextBase& context);

/// UNAVAILABLE, with the owner's address in the trailing metadata. Before the call is finished.
grpc::Status NotOwner(const Seat& seat, grpc::ServerContextBase& context);

/// One unary call under way: who answers it, once. gRPC keeps context and messages until then.
struct Call {
  Seat* seat;
  grpc::CallbackServerContext* context;
  grpc::ServerUnaryReactor* reactor;

  void Finish(const engine::base::Status& status) const { reactor->Finish(ToGrpc(status)); }
  void NotOwner() const { reactor->Finish(services::NotOwner(*seat, *context)); }
};

inline Call BeginCall(Seat& seat, grpc::CallbackServerContext* context) {
  return {.seat = &seat, .context = context, .reactor = context->DefaultReactor()};
}

inline constexpr const char* kOwnerKey = "dayfly-owner";  ///< trailing metadata: where the owner is
inline constexpr const char* kRunKey = "dayfly-run";  ///< trailing metadata: the run it is about

}  // namespace api::services
