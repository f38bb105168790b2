// SPDX-License-Identifier: Apache-2.0
// Options of the commands that operate a server.
#pragma once

#include <cstdint>
#include <string>

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

struct PoolsOptions {
  std::string order;  ///< empty: list; `scale`
  std::string pool;
  std::uint32_t workers = 0;
  std::string format = "text";  ///< `text json`
  std::string server;
};

}  // namespace apps
