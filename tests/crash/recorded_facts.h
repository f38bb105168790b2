// SPDX-License-Identifier: Apache-2.0
// What a run's own log says happened, over all its lives.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/model/fact.h"

namespace tests::crash {

struct RecordedFacts {
  bool readable = false;
  std::map<std::string, int> job_ends;  ///< by job name
  std::map<std::string, int> attempts;  ///< assigned, by job name
  std::map<engine::model::AttemptKey, int> attempt_ends;
  int run_ends = 0;
};

RecordedFacts ReadFacts(const std::string& run_folder);

}  // namespace tests::crash
