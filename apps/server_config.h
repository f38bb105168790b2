// SPDX-License-Identifier: Apache-2.0
// `server.yml`: what a server is told by its operator. A key that does not exist is an error, with
// its place and a suggestion, as in a pipeline.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dsl/diagnostic.h"
#include "engine/base/time.h"
#include "engine/model/place.h"

namespace apps {

struct PoolConfig {
  std::string name;
  std::uint32_t slots = 1;  ///< of each worker that the server starts
  /// Of these workers, besides `os` and `arch`; by name.
  std::vector<engine::model::Label> labels;
  std::uint32_t workers_min = 0;  ///< kept, also when idle
  std::uint32_t workers_max = 0;  ///< 0: its workers come by themselves, with a join token
  /// After which a worker that the server started is sent home.
  engine::base::Duration idle_after = std::chrono::minutes(5);
  /// After which one that lives, and that nothing is heard of since it was lost, is ended.
  engine::base::Duration return_within = std::chrono::minutes(1);
  friend bool operator==(const PoolConfig&, const PoolConfig&) = default;
};

/// For repositories whose address begins so.
struct GitLoginConfig {
  std::string url;  ///< without a slash at its end
  std::string username;
  std::string password_file;
  friend bool operator==(const GitLoginConfig&, const GitLoginConfig&) = default;
};

/// Paths are absolute, or relative to the folder that the server was started in.
struct ServerConfig {
  std::string store_file;                      ///< SQLite; or
  std::string store_postgres;                  ///< what libpq takes
  std::string listen;                          ///< HOST:PORT for TLS; empty: only the socket
  std::string address;                         ///< how others reach it; empty: as `listen`
  std::vector<std::string> servers;            ///< all that share the database, this one or not
  std::string socket;                          ///< of the operator on this machine
  std::string certificates;                    ///< folder
  std::string logs;                            ///< folder
  std::string artifacts;                       ///< folder
  std::uint32_t keep_days = 0;                 ///< of runs that are over; 0: for ever
  std::string workers;                         ///< folder of the workers that this server starts
  std::map<std::string, std::string> secrets;  ///< names to files
  std::vector<GitLoginConfig> git_logins;
  std::vector<PoolConfig> pools;  ///< by name
  friend bool operator==(const ServerConfig&, const ServerConfig&) = default;
};

struct ParsedServerConfig {
  std::optional<ServerConfig> config;  ///< absent when there is any error
  std::vector<dsl::Diagnostic> diagnostics;
};

/// `path` is for messages; relative paths in the text are meant from its folder.
ParsedServerConfig ParseServerConfig(const std::string& path, std::string text);

/// What `dayfly server init` writes: every key, with what it means.
std::string ServerConfigTemplate();

}  // namespace apps
