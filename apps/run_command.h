// SPDX-License-Identifier: Apache-2.0
// `dayfly run`: a pipeline from its file to its end on this machine, or the rest of a run whose
// process died.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace apps {

struct RunOptions {
  std::string file;                 ///< empty: the only one in `.dayfly`
  std::vector<std::string> inputs;  ///< `name=value`
  std::string env_file;
  std::vector<std::string> only;
  std::uint32_t workers = 0;  ///< 0: as many as there are CPUs
  std::string output;         ///< `tree plain json`; empty: tree on a terminal, plain elsewhere
  std::string resume;         ///< a run; nothing else but `workers` and `output` then counts
  bool no_approve = false;
  std::vector<std::string> secrets;  ///< `NAME` or `NAME=@FILE`
  bool stats = false;
};

int RunCommand(const RunOptions& options);

}  // namespace apps
