// SPDX-License-Identifier: Apache-2.0
// Options of the commands that operate a server.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace apps {

struct ServerOptions {
  std::string order;         ///< empty: serve; `init`
  std::string folder;        ///< of `init`; empty: where it is called
  std::string host;          ///< of `init`: how other machines reach this one; empty: they do not
  std::string config;        ///< `server.yml`, or the folder that holds it
  bool print_ready = false;  ///< one line on standard output once it serves
};

struct WorkersOptions {
  std::string order;  ///< empty: list; `token`, `drain`
  std::string worker;
  std::string pool;
  bool stop = false;
  std::string format = "text";  ///< `text json`
  std::string server;
};

struct AgentOptions {
  std::string servers;  ///< `ADDR[,ADDR]`
  std::string token;  ///< a join token; `-`: the first line of standard input; empty: joined before
  std::uint32_t slots = 0;          ///< 0: as many as there are CPUs
  std::vector<std::string> labels;  ///< `NAME=VALUE`
  std::string folder;               ///< empty: `agent` in the state folder
  std::string workspace;            ///< where jobs see their workspace; empty: in `folder`
  std::string exit_when_idle;       ///< a duration; empty: never
};

struct PoolsOptions {
  std::string order;  ///< empty: list; `scale`
  std::string pool;
  std::uint32_t workers = 0;
  std::string format = "text";  ///< `text json`
  std::string server;
};

}  // namespace apps
