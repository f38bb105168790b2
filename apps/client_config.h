// SPDX-License-Identifier: Apache-2.0
// Which server a command means, and with what it shows who asks.
#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"

namespace apps {

struct ServerChoice {
  std::vector<std::string> servers;  ///< `HOST:PORT` or `unix:PATH`; empty: this machine's own runs
  std::string certificates;          ///< folder with `ca.pem`, `operator.pem`, `operator.key`
  friend bool operator==(const ServerChoice&, const ServerChoice&) = default;
};

/// `server` as given to `--server`, else `$DAYFLY_SERVER`, else `server` of `client.yml` in
/// `$XDG_CONFIG_HOME/dayfly` (or `~/.config/dayfly`): addresses separated by commas, or `local`.
/// Certificates: `$DAYFLY_CERTIFICATES`, else `certificates` of `client.yml`, else the folder of
/// that file. `InvalidArgument` names what is wrong, in `client.yml` with its place.
engine::base::StatusOr<ServerChoice> ChooseServer(const std::string& server);

/// Of `client.yml`; `path` is for messages, relative paths are meant from its folder.
engine::base::StatusOr<ServerChoice> ParseClientConfig(const std::string& path, std::string text);

}  // namespace apps
