// SPDX-License-Identifier: Apache-2.0
// What a server and its agents take while they do nothing.
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "bench/server/benches.h"
#include "bench/server/noop_agents.h"
#include "bench/server/runs.h"

namespace bench::server {
namespace {

constexpr double kMiB = 1 << 20;

std::uint32_t AgentsOf(const Options& options) {
  return options.quick ? 50 : 1000;
}

void PrintServer(const Site& site, const char* when) {
  const Memory memory = MemoryOf(site.server());
  fmt::print("  server {}: {:.0f} MiB resident ({:.0f} MiB private), peak {:.0f} MiB\n", when,
             memory.rss_bytes / kMiB, memory.anon_bytes / kMiB, memory.peak_bytes / kMiB);
}

/// The real program, joined and waiting for work.
void PrintIdleAgent(const Site& site) {
  tests::support::DayflyProcess agent(
      site.Launch({"agent", "--server", site.address(), "--slots", "2", "--folder",
                   site.File("agent"), "--token", site.Token()},
                  "agent"));
  std::this_thread::sleep_for(std::chrono::seconds(3));
  const Memory memory = MemoryOf(agent.pid());
  fmt::print("  an idle agent: {:.1f} MiB private, {:.1f} MiB resident\n", memory.anon_bytes / kMiB,
             memory.rss_bytes / kMiB);
}

}  // namespace

void BenchIdle(const Options& options) {
  const std::uint32_t agents = AgentsOf(options);
  Site site(options.store);
  const NoopAgents noop(site.Enrol(agents), {.address = site.address()});
  noop.AwaitLive();
  std::this_thread::sleep_for(std::chrono::seconds(3));
  const DatabaseCounters before = site.Counters();
  constexpr std::chrono::seconds kWatched{10};
  std::this_thread::sleep_for(kWatched);
  const DatabaseCounters after = site.Counters();
  fmt::print("idle with {} agents: {:.1f} statements a second (our own question is one of them)\n",
             agents, static_cast<double>(after.statements - before.statements) / kWatched.count());
}

void BenchMemory(const Options& options) {
  const std::uint32_t agents = AgentsOf(options);
  const std::uint32_t jobs_a_run = options.quick ? 100 : 1000;
  constexpr std::uint32_t kRuns = 100;
  Site site(options.store);
  fmt::print("memory:\n");
  PrintIdleAgent(site);
  PrintServer(site, "at rest");
  const NoopAgents noop(site.Enrol(agents), {.address = site.address(), .hold = true});
  noop.AwaitLive();
  PrintServer(site, fmt::format("with {} agents", agents).c_str());
  auto connection = site.Connect();
  const std::string pipeline = PipelineOf(jobs_a_run);
  for (std::uint32_t i = 0; i < kRuns; ++i) {
    Submit(connection, pipeline);
  }
  std::this_thread::sleep_for(std::chrono::seconds(2));
  PrintServer(site, fmt::format("with {} agents and {} queued jobs", agents,
                                kRuns * jobs_a_run - noop.attempts())
                        .c_str());
}

}  // namespace bench::server
