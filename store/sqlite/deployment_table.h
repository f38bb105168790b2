// SPDX-License-Identifier: Apache-2.0
// Deployments as rows: those of the index of local runs, and those that a server keeps of runs it
// has dropped. Same thread as the connection.
#pragma once

#include <string>
#include <vector>

#include "engine/model/deployment.h"
#include "store/sqlite/database.h"

namespace store::sqlite {

/// `name` and `key` are ours, never a caller's text.
struct DeploymentTable {
  const char* name;
  const char* key;  ///< the columns that make a row the only one
};

inline constexpr DeploymentTable kIndexedDeployments{"deployment", "run, job"};
inline constexpr DeploymentTable kKeptDeployments{"kept_deployment", "environment, source"};

/// It is no part of a file's first tables: made by who first has something to put into it. Nothing
/// when it is there already.
base::Status MakeTable(Database& db, const DeploymentTable& table);

/// All of that environment (empty: of any), in no order. None when there is no table.
base::StatusOr<std::vector<engine::model::Deployment>> ReadDeployments(
    Database& db, const DeploymentTable& table, const std::string& environment);

/// Puts rows in place of those of the same key.
base::StatusOr<Statement> PrepareSave(Database& db, const DeploymentTable& table);
/// As `PrepareSave`, but what ended later stays.
base::StatusOr<Statement> PrepareSaveIfNewer(Database& db, const DeploymentTable& table);
/// `deployment` must stay until the statement was run.
void Bind(Statement& save, const engine::model::Deployment& deployment);

}  // namespace store::sqlite
