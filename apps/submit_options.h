// SPDX-License-Identifier: Apache-2.0
// Options of the commands that start and watch runs at a server.
#pragma once

#include <string>
#include <vector>

namespace apps {

struct SubmitOptions {
  std::string file;    ///< empty: the only pipeline there is
  std::string repo;    ///< empty: `origin`
  std::string commit;  ///< empty: HEAD
  std::vector<std::string> inputs;
  std::vector<std::string> only;
  std::string env_file;
  std::string event = "manual";
  std::string key;      ///< empty: a fresh one
  bool upload = false;  ///< the working tree itself, in place of a commit
  bool watch = false;
  std::string output;  ///< of `--watch`: `tree plain json`; empty: by what standard output is
  std::string server;
};

struct WatchOptions {
  std::string run;
  std::string output;
  std::string server;
};

}  // namespace apps
