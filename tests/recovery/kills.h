// SPDX-License-Identifier: Apache-2.0
// Kills servers, agents, keepers and PostgreSQL of a site under load, at moments and in an order
// that a seed draws, starts each again, and judges what became of the runs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tests::recovery {

struct KillsOptions {
  std::uint64_t seed = 1;
  int kills = 20;
  bool print = true;  ///< what is killed, on standard output
};

struct KillsOutcome {
  std::vector<std::string> findings;  ///< what cannot be; empty: all is well
  std::map<std::string, int> killed;  ///< by what it was
  std::size_t runs = 0;
  std::size_t facts = 0;
  std::size_t attempts_lost = 0;  ///< and tried again
};

KillsOutcome RunKills(const KillsOptions& options);

/// Servers that are told to leave and start again, one after the other, `rounds` times.
KillsOutcome RunRollingRestarts(int rounds);

}  // namespace tests::recovery
