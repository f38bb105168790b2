// SPDX-License-Identifier: Apache-2.0
// One watcher of one run: outline, history, then what comes. It asks for the next piece when the
// last one was taken, so a slow reader costs one piece; one that takes too long is sent away and
// may come back with its position.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "api/services/seat.h"
#include "api/wire/runs.pb.h"
#include "engine/base/time.h"

namespace api::services {

struct WatchOptions {
  int watchers_max = 4096;
  /// For one piece of 64 KiB.
  engine::base::Duration patience = std::chrono::seconds(30);
};

/// What every stream needs.
struct WatchParts {
  Seat* seat = nullptr;
  std::atomic<int>* watching = nullptr;
  WatchOptions options;
};

/// Owned by gRPC from here on.
grpc::ServerWriteReactor<dayfly::v1::WatchResponse>* StartWatch(
    const WatchParts& parts, grpc::CallbackServerContext& context,
    const dayfly::v1::WatchRequest& request);

}  // namespace api::services
