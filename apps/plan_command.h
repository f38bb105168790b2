// SPDX-License-Identifier: Apache-2.0
// `dayfly plan`: what a pipeline would do for an event, without doing it.
#pragma once

#include <string>
#include <vector>

namespace apps {

struct PlanOptions {
  std::string file;  ///< empty: the only one in `.dayfly`
  std::string event;
  std::string branch;
  std::string tag;
  std::vector<std::string> changed;
  bool has_changed = false;  ///< `--changed` was given, perhaps with nothing
  std::vector<std::string> inputs;
  std::string format = "text";  ///< `text json dot mermaid`
  bool edges = false;
  bool defaults = false;
  std::string explain;  ///< a job: where each of its values came from
};

int PlanCommand(const PlanOptions& options);

}  // namespace apps
