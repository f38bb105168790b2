// SPDX-License-Identifier: Apache-2.0
// `dayfly logs`: what the steps of a run wrote, also while they are writing.
#pragma once

#include <cstdint>
#include <string>

namespace apps {

struct LogsOptions {
  std::string run;
  std::string job;   ///< empty: all
  std::string step;  ///< its id or its position from 1; empty: all
  bool follow = false;
  bool raw = false;
  std::string format = "text";
  std::int64_t tail = -1;  ///< lines; -1: everything
  std::string server;      ///< empty: as the environment or `client.yml` say, else this machine
};

int LogsCommand(const LogsOptions& options);

}  // namespace apps
