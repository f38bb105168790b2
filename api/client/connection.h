// SPDX-License-Identifier: Apache-2.0
// Finds the server that owns the runs and makes calls of it: tries the addresses in turn, follows a
// standby to the owner, waits while one takes over from another. One thread; calls block.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include "engine/base/status.h"
#include "engine/base/time.h"

namespace api::client {

struct Target {
  std::vector<std::string> servers;  ///< `HOST:PORT`, or `unix:PATH`
  /// PEM files, for addresses over TLS.
  std::string authority;
  std::string certificate;
  std::string key;
  /// How long to look for an owner until a call fails.
  engine::base::Duration patience = std::chrono::seconds(8);
  /// The same once one has answered: what is under way is worth waiting for.
  engine::base::Duration patience_later = std::chrono::seconds(60);
};

class Connection {
 public:
  explicit Connection(Target target) : target_(std::move(target)) {}

  /// Makes the call until somebody answers it. One that is not `repeatable` is made again only when
  /// it certainly took no effect. An error of ours has the code and the message of gRPC's.
  using Make =
      std::function<grpc::Status(const std::shared_ptr<grpc::Channel>&, grpc::ClientContext&)>;
  engine::base::Status Call(bool repeatable, const Make& make);

  /// The next call of `Call` may be as patient as the first: something came in the meantime.
  void Progressed() {
    trying_ = false;
    answered_ = true;
  }
  /// Trailing metadata of the last call; empty when there was none of that name.
  std::string Trailing(const std::string& key) const;
  /// Where the last call went.
  const std::string& server() const { return server_; }

 private:
  engine::base::StatusOr<std::shared_ptr<grpc::Channel>> Channel(const std::string& server);
  bool MayTryAgain(const grpc::Status& status, bool repeatable);
  void MoveOn();

  Target target_;
  std::string server_;  ///< that is asked next
  std::size_t position_ = 0;
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels_;
  std::map<std::string, std::string> trailing_;
  bool trying_ = false;
  bool answered_ = false;  ///< by any server, ever
  std::chrono::steady_clock::time_point trying_since_;
  std::chrono::milliseconds pause_{0};
};

/// The same code, the same message.
engine::base::Status FromGrpc(const grpc::Status& status);

}  // namespace api::client
