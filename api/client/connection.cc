// SPDX-License-Identifier: Apache-2.0
#include "api/client/connection.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

namespace api::client {

namespace base = engine::base;

namespace {

constexpr const char* kOwnerKey = "dayfly-owner";
constexpr std::chrono::milliseconds kFirstPause(50);
constexpr std::chrono::milliseconds kLongestPause(500);
constexpr int kMessageBytesMax = 64 << 20;
/// Milliseconds until one that takes the connection and then says nothing counts as away.
constexpr int kConnectWithin = 10'000;

base::StatusOr<std::string> ReadPem(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (path.empty() || !(text << file.rdbuf())) {
    return base::FailedPrecondition("the certificate file '{}' cannot be read", path);
  }
  return text.str();
}

base::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> TlsOf(const Target& target) {
  grpc::SslCredentialsOptions options;
  ASSIGN_OR_RETURN(options.pem_root_certs, ReadPem(target.authority));
  ASSIGN_OR_RETURN(options.pem_cert_chain, ReadPem(target.certificate));
  ASSIGN_OR_RETURN(options.pem_private_key, ReadPem(target.key));
  return grpc::SslCredentials(options);
}

}  // namespace

base::Status FromGrpc(const grpc::Status& status) {
  // The numbers are the same.
  return status.ok() ? base::OkStatus()
                     : base::MakeStatus(static_cast<absl::StatusCode>(status.error_code()),
                                        status.error_message());
}

base::StatusOr<std::shared_ptr<grpc::Channel>> Connection::Channel(const std::string& server) {
  std::shared_ptr<grpc::Channel>& channel = channels_[server];
  if (channel == nullptr) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
    // It never connects again by itself, see `Call`.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectWithin);
    std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
    if (!server.starts_with("unix:")) {
      ASSIGN_OR_RETURN(credentials, TlsOf(target_));
    }
    channel = grpc::CreateCustomChannel(server, credentials, arguments);
  }
  return channel;
}

base::Status Connection::Call(bool repeatable, const Make& make) {
  if (target_.servers.empty()) {
    return base::InvalidArgument("no server is named");
  }
  while (true) {
    if (server_.empty()) {
      server_ = target_.servers[position_];
    }
    ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel, Channel(server_));
    grpc::ClientContext context;
    const grpc::Status status = make(channel, context);
    trailing_.clear();
    for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
      trailing_[std::string(key.data(), key.size())] = std::string(value.data(), value.size());
    }
    if (status.ok()) {
      Progressed();
      return base::OkStatus();
    }
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE && !trailing_.contains(kOwnerKey)) {
      // gRPC connects again only while one of our calls waits, and on a channel that has failed
      // calls do not wait: it would be connected a few seconds later each time. The first call on
      // a fresh one does.
      channels_.erase(server_);
    }
    if (!MayTryAgain(status, repeatable)) {
      return status.error_code() == grpc::StatusCode::UNAVAILABLE
                 ? base::Unavailable("{}: {}", server_, status.error_message())
                 : FromGrpc(status);
    }
    MoveOn();
  }
}

bool Connection::MayTryAgain(const grpc::Status& status, bool repeatable) {
  const bool redirected = trailing_.contains(kOwnerKey);
  // A server that stops cancels the calls that are inside.
  const bool is_away = status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                       (repeatable && status.error_code() == grpc::StatusCode::CANCELLED);
  if (!is_away || (!repeatable && !redirected)) {
    return false;
  }
  const auto now = std::chrono::steady_clock::now();
  if (!std::exchange(trying_, true)) {
    trying_since_ = now;
    pause_ = std::chrono::milliseconds(0);
  }
  return now - trying_since_ <
         (answered_ ? std::max(target_.patience, target_.patience_later) : target_.patience);
}

// To the owner when the server named one, else to the next address. The first moves are made at
// once, so that a list whose first server is down costs nothing.
void Connection::MoveOn() {
  const std::string owner = Trailing(kOwnerKey);
  const bool repeated = owner.empty() || owner == server_;
  if (repeated) {
    position_ = (position_ + 1) % target_.servers.size();
    server_ = target_.servers[position_];
  } else {
    server_ = owner;
  }
  if (repeated && position_ == 0) {
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    std::this_thread::sleep_for(pause_);
  }
}

std::string Connection::Trailing(const std::string& key) const {
  const auto found = trailing_.find(key);
  return found == trailing_.end() ? "" : found->second;
}

}  // namespace api::client
