// SPDX-License-Identifier: Apache-2.0
// Who this agent is to its server: a worker's certificate, its key, and the CA it trusts. Kept in a
// folder, 0600: `agent.key`, `agent.pem`, `authority.pem`.
#pragma once

#include <string>
#include <vector>

#include "api/wire/certificates.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/ids.h"

namespace agents::session {

struct AgentIdentity {
  engine::model::WorkerId worker;
  api::wire::KeyPair pair;
  std::string authority;  ///< PEM
  engine::base::Instant renew_at;
  engine::base::Instant valid_to;
};

/// `NotFound` when the folder holds none; `DataLoss` when what it holds is no identity.
engine::base::StatusOr<AgentIdentity> LoadIdentity(const std::string& folder);
engine::base::Status SaveIdentity(const std::string& folder, const AgentIdentity& identity);
/// `InvalidArgument` when the certificate is not a worker's.
engine::base::StatusOr<AgentIdentity> MakeIdentity(api::wire::KeyPair pair, std::string authority);

struct Enrolling {
  std::vector<std::string> servers;
  std::string join_token;
  std::string host;
  engine::base::Instant now;
  engine::base::Duration timeout = std::chrono::seconds(10);  ///< of each attempt
};
/// Joins with the token at the first server that answers. Blocks. The CA is checked against the
/// token's fingerprint before the token is said. Errors as of `Register` and `FetchAuthority`.
engine::base::StatusOr<AgentIdentity> Enrol(const Enrolling& enrolling);

}  // namespace agents::session
