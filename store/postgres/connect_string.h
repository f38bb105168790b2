// SPDX-License-Identifier: Apache-2.0
// What an operator writes to name a database, completed with what we want where nothing is said.
#pragma once

#include <string>

#include "engine/base/status.h"
#include "engine/base/time.h"

namespace store::postgres {

struct ConnectString {
  std::string text;  ///< for libpq; holds the password when one was given
  std::string name;  ///< for people: `postgres user@host/database`
};

/// `InvalidArgument` when libpq cannot read `conninfo`. With `network_timeout` a connection that
/// hangs is noticed, also one that waits for nothing but an answer.
engine::base::StatusOr<ConnectString> ReadConnectString(const std::string& conninfo,
                                                        engine::base::Duration network_timeout);

}  // namespace store::postgres
