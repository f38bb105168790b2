// SPDX-License-Identifier: Apache-2.0
// Reads the recorded workloads: pipelines of one `sleep` a job in their one regular form. Not a
// YAML parser: what does not have that form is an error.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench::driver {

struct SleepJob {
  std::string name;
  double seconds = 0;
  std::vector<std::size_t> needs;  ///< indices of earlier or later jobs
};

/// Nothing when a line does not fit.
std::optional<std::vector<SleepJob>> ReadSleepJobs(std::string_view text);

/// The same text with every `sleep` `factor` times as long.
std::string ScaleSleeps(std::string_view text, double factor);

}  // namespace bench::driver
