// SPDX-License-Identifier: Apache-2.0
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "bench/server/benches.h"
#include "bench/server/figures.h"
#include "bench/server/noop_agents.h"
#include "bench/server/runs.h"
#include "engine/base/check.h"

namespace bench::server {
namespace {

/// PostgreSQL counts with a delay of up to a second.
constexpr std::chrono::milliseconds kCountersSettle{1500};

constexpr std::uint32_t kAgents = 8;
constexpr std::uint32_t kSlots = 16;
constexpr std::uint32_t kAhead = 8;

struct Load {
  std::uint32_t runs = 40;
  std::uint32_t jobs = 500;  ///< of each run
};

/// Submits all runs at once and waits for their ends.
std::vector<engine::model::RunId> Work(api::client::Connection& connection, const Load& load) {
  const std::string pipeline = PipelineOf(load.jobs);
  std::vector<engine::model::RunId> runs;
  for (std::uint32_t i = 0; i < load.runs; ++i) {
    runs.push_back(Submit(connection, pipeline));
  }
  for (const engine::model::RunId run : runs) {
    CHECK(AwaitEnd(connection, run));
  }
  return runs;
}

void PrintCost(const DatabaseCounters& before, const DatabaseCounters& after, double jobs) {
  fmt::print("  a job: {:.3f} statements, {:.2f} rows, {:.0f} bytes of WAL\n",
             static_cast<double>(after.statements - before.statements) / jobs,
             static_cast<double>(after.rows - before.rows) / jobs,
             static_cast<double>(after.wal_bytes - before.wal_bytes) / jobs);
}

}  // namespace

void BenchThroughput(const Options& options) {
  const Load load = options.quick ? Load{4, 100} : Load{};
  const double jobs = load.runs * load.jobs;
  Site site(options.store);
  const NoopAgents noop(site.Enrol(kAgents),
                        {.address = site.address(), .slots = kSlots, .ahead_max = kAhead});
  noop.AwaitLive();
  auto connection = site.Connect();
  Work(connection, {1, load.jobs});  // prepared statements, partitions, connections
  std::this_thread::sleep_for(kCountersSettle);
  const DatabaseCounters before = site.Counters();
  std::vector<engine::model::RunId> runs;
  const double seconds = SecondsOf([&] { runs = Work(connection, load); });
  std::this_thread::sleep_for(kCountersSettle);
  const DatabaseCounters after = site.Counters();
  fmt::print("throughput: {} runs of {} jobs on {} agents of {} slots: {:.0f} jobs/s ({:.2f} s)\n",
             load.runs, load.jobs, kAgents, kSlots, jobs / seconds, seconds);
  if (options.store == StoreKind::kPostgres) {
    PrintCost(before, after, jobs);
  }
  fmt::print("  the server's peak: {:.0f} MiB\n", MemoryOf(site.server()).peak_bytes / (1 << 20));
}

void BenchDispatch(const Options& options) {
  const std::uint32_t rounds = options.quick ? 20 : 200;
  Site site(options.store);
  const NoopAgents noop(
      site.Enrol(kAgents),
      {.address = site.address(), .slots = kSlots, .ahead_max = kAhead, .note_times = true});
  noop.AwaitLive();
  auto connection = site.Connect();
  const std::string pipeline = PipelineOf(50);
  std::vector<double> waits;
  for (std::uint32_t i = 0; i < rounds; ++i) {
    const engine::model::RunId run = Submit(connection, pipeline);
    CHECK(AwaitEnd(connection, run));
    const std::vector<double> of_run = WaitsOf(connection, run, noop);
    waits.insert(waits.end(), of_run.begin(), of_run.end());
  }
  fmt::print(
      "ready until an agent has it, {} jobs in runs of 50, one run after the other: p50 {}, p99 "
      "{}\n",
      waits.size(), Millis(Quantile(waits, 0.5)), Millis(Quantile(waits, 0.99)));
}

}  // namespace bench::server
