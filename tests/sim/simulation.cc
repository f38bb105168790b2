// SPDX-License-Identifier: Apache-2.0
// The deterministic simulation's front door. `simulation` plays 200 seeds; `--seeds N` plays more,
// `--seed N` plays that one and shows its log when it breaks.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "tests/sim/world.h"

namespace {

struct Options {
  std::uint64_t first = 1;
  std::uint64_t count = 200;
  bool log = false;
};

std::optional<Options> Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    char* end = nullptr;
    const std::uint64_t value = std::strtoull(argv[i + 1], &end, 10);
    if (*end != '\0' || (name != "--seed" && name != "--seeds")) {
      return std::nullopt;
    }
    if (name == "--seed") {
      options = {value, 1, true};
    } else {
      options.count = value;
    }
  }
  return argc % 2 == 1 ? std::optional(options) : std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Options> options = Parse(argc, argv);
  if (!options) {
    fmt::print(stderr, "usage: simulation [--seeds COUNT | --seed NUMBER]\n");
    return 2;
  }
  tests::sim::Tally total;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = options->first; seed < options->first + options->count; ++seed) {
    tests::sim::World world(seed);
    if (const auto breach = world.Run()) {
      ++failed;
      fmt::print("seed {} broke: {}\n", seed, *breach);
      if (options->log) {
        fmt::print("{}", world.LogText());
      }
    }
    const tests::sim::Tally& tally = world.tally();
    total.steps += tally.steps;
    total.facts += tally.facts;
    total.crashes += tally.crashes;
    total.commits_failed += tally.commits_failed;
    total.workers_died += tally.workers_died;
    total.replays += tally.replays;
    total.executions += tally.executions;
    total.refusals += tally.refusals;
    total.streams_cut += tally.streams_cut;
    total.agents_restarted += tally.agents_restarted;
    total.sessions += tally.sessions;
    total.drained += tally.drained;
  }
  fmt::print(
      "{} steps, {} facts, {} executions, {} crashes, {} failed commits, {} workers lost, "
      "{} refusals, {} streams cut, {} agents restarted, {} sessions, {} workers drained, {} "
      "replays "
      "compared\n",
      total.steps, total.facts, total.executions, total.crashes, total.commits_failed,
      total.workers_died, total.refusals, total.streams_cut, total.agents_restarted, total.sessions,
      total.drained, total.replays);
  fmt::print("{} passed, {} failed\n", options->count - failed, failed);
  return failed == 0 ? 0 : 1;
}
