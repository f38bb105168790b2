// SPDX-License-Identifier: Apache-2.0
// Brings the tables of a database to what this build needs, once, however many servers start at the
// same moment.
#pragma once

#include <memory>

#include "engine/base/status.h"
#include "store/postgres/connection.h"

namespace store::postgres {

/// Applies what is missing, in one transaction, and writes down what it applied; however long that
/// takes, whatever the connection's `statement_timeout`.
/// `FailedPrecondition` when the tables are of a newer version than this build (says how to mend),
/// or when the schema `dayfly` is somebody else's.
base::Status Migrate(Connection& connection);

/// A connection to a database whose tables are as this build needs them.
base::StatusOr<std::unique_ptr<Connection>> OpenMigrated(const ConnectionOptions& options);

}  // namespace store::postgres
