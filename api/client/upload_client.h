// SPDX-License-Identifier: Apache-2.0
// The server's chunks as an operator may fill them: what is uploaded before a run of it is
// submitted. Calls block and follow the owner; one thread.
#pragma once

#include <string>

#include "api/client/connection.h"
#include "api/wire/chunks.pb.h"
#include "engine/ports/artifact_store.h"

namespace api::client {

class UploadClient : public engine::ports::ArtifactStore {
 public:
  explicit UploadClient(Connection& connection) : connection_(connection) {}

  /// Sends what the server does not have; a transfer that was cut off goes on where it was.
  engine::base::StatusOr<engine::base::Digest> Put(std::string_view bytes) override;
  /// `Unimplemented`: an operator reads no chunks.
  engine::base::StatusOr<std::string> Get(const engine::base::Digest& digest) override;
  engine::base::StatusOr<bool> Has(const engine::base::Digest& digest) override;

 private:
  engine::base::StatusOr<dayfly::v1::ChunkPresence> Ask(const engine::base::Digest& digest);
  Connection& connection_;
};

}  // namespace api::client
