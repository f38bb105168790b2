// SPDX-License-Identifier: Apache-2.0
// How long nobody answers when the owner of the runs is killed (SIGKILL) or told to leave
// (SIGTERM), and what becomes of the runs under many kills. Real servers, agents and PostgreSQL.
//   recovery_bench [--takeovers N] [--handovers N] [--kills N] [--seed N]
// Exit code 1 when the history of the kills cannot be.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "api/client/run_client.h"
#include "tests/recovery/kills.h"
#include "tests/recovery/site.h"

namespace {

using Clock = std::chrono::steady_clock;
using tests::recovery::Site;

struct Options {
  int takeovers = 0;
  int handovers = 0;
  int kills = 0;
  std::uint64_t seed = 1;
};

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Gap {
  double answered = 0;  ///< until a client is answered
  double worked = 0;    ///< until a job that was submitted then has succeeded
};

// `leave` makes the owner, server 0, leave; server 1 stands by.
Gap Measure(const std::function<void(Site&)>& leave) {
  Site site(2);
  site.StartAgent("agent");
  constexpr const char* kJob = "name: x\njobs: { j: { checkout: false, steps: ['true'] } }\n";
  if (site.Submit(kJob, "warm")->Wait() != 0) {
    fmt::print(stderr, "{}", site.Errors());
    std::exit(1);
  }
  api::client::Connection connection(site.Target());
  api::client::RunClient runs(connection);
  runs.List({}).status().IgnoreError();
  const auto start = Clock::now();
  leave(site);
  Gap gap;
  if (const auto listed = runs.List({}); !listed.ok()) {
    fmt::print(stderr, "{}\n{}", listed.status().ToString(), site.Errors());
    std::exit(1);
  }
  gap.answered = SecondsSince(start);
  if (site.Submit(kJob, "after")->Wait() != 0) {
    fmt::print(stderr, "{}", site.Errors());
    std::exit(1);
  }
  gap.worked = SecondsSince(start);
  return gap;
}

void Print(std::string_view name, std::vector<Gap> gaps) {
  if (gaps.empty()) {
    return;
  }
  for (const auto& [what, member] : {std::pair("answered after", &Gap::answered),
                                     std::pair("a new job done after", &Gap::worked)}) {
    std::ranges::sort(gaps, {}, member);
    fmt::print("{:<9} {:<21} median {:6.3f} s   longest {:6.3f} s   of {}\n", name, what,
               gaps[gaps.size() / 2].*member, gaps.back().*member, gaps.size());
  }
}

std::vector<Gap> Repeat(int times, const std::function<void(Site&)>& leave) {
  std::vector<Gap> gaps;
  for (int i = 0; i < times; ++i) {
    gaps.push_back(Measure(leave));
  }
  return gaps;
}

int Kills(const Options& options) {
  const auto start = Clock::now();
  const auto outcome =
      tests::recovery::RunKills({.seed = options.seed, .kills = options.kills, .print = false});
  fmt::print("kills     seed {}: {} in {:.0f} s, {} runs, {} facts, {} attempts lost;",
             options.seed, options.kills, SecondsSince(start), outcome.runs, outcome.facts,
             outcome.attempts_lost);
  for (const auto& [what, times] : outcome.killed) {
    fmt::print(" {} {}", what, times);
  }
  fmt::print("\n");
  for (const std::string& finding : outcome.findings) {
    fmt::print("FINDING   {}\n", finding);
  }
  return outcome.findings.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options{
      .takeovers = argc > 1 ? 0 : 5, .handovers = argc > 1 ? 0 : 5, .kills = argc > 1 ? 0 : 200};
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const int value = std::atoi(argv[i + 1]);
    if (name == "--takeovers") {
      options.takeovers = value;
    } else if (name == "--handovers") {
      options.handovers = value;
    } else if (name == "--kills") {
      options.kills = value;
    } else if (name == "--seed") {
      options.seed = static_cast<std::uint64_t>(value);
    } else {
      fmt::print(stderr, "{} is no option\n", name);
      return 2;
    }
  }
  Print("takeover", Repeat(options.takeovers, [](Site& site) { site.KillServer(0); }));
  Print("handover", Repeat(options.handovers, [](Site& site) { site.StopServer(0); }));
  return options.kills > 0 ? Kills(options) : 0;
}
