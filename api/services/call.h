// SPDX-License-Identifier: Apache-2.0
// What the handlers of all services share: who calls, and how our errors travel.
#pragma once

#include <memory>
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

/// One unary call under way. Copies are the same call; gRPC keeps context and messages until it is
/// finished. When the last copy goes and nobody has finished it (its shard was lost, its queue
/// dropped), it ends as UNAVAILABLE: no call is ever left open.
class Call {
 public:
  Call(Seat& call_seat, grpc::CallbackServerContext* call_context);

  void Finish(const engine::base::Status& status) const;
  void NotOwner() const;

  Seat* seat;
  grpc::CallbackServerContext* context;
  grpc::ServerUnaryReactor* reactor;

 private:
  struct Open;
  std::shared_ptr<Open> open_;
};

inline constexpr const char* kOwnerKey = "dayfly-owner";  ///< trailing metadata: where the owner is
inline constexpr const char* kRunKey = "dayfly-run";  ///< trailing metadata: the run it is about

}  // namespace api::services
