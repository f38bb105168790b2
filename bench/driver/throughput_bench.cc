// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/driver/benches.h"
#include "bench/driver/files.h"
#include "bench/driver/measure.h"
#include "bench/driver/run_folder.h"
#include "bench/driver/statistics.h"
#include "bench/driver/table.h"
#include "bench/driver/workloads.h"

namespace bench::driver {
namespace {

constexpr const char* kCommand = "true";

struct Workload {
  std::string name;  ///< `w1`
  std::string what;
  Shape shape;
};

std::vector<Workload> Workloads(bool quick) {
  const std::size_t part = quick ? 10 : 1;
  return {
      {"w1", "independent jobs", {.layers = 1, .width = 1000 / part}},
      {"w2", "a chain", {.layers = 200 / part, .width = 1}},
      {"w3", "10 stages", {.layers = 10, .width = 100 / part}},
      {"w3e", "10 layers, every edge written", {.layers = 10, .width = 100 / part, .edges = true}},
  };
}

struct Tool {
  std::string name;
  Command command;
};

std::vector<Tool> Tools(const Options& options, const Workload& workload,
                        const std::string& folder) {
  const Shape& shape = workload.shape;
  WriteFile(folder + "/bench.yml", PipelineOf(shape, kCommand));
  WriteFile(folder + "/build.ninja", NinjaFileOf(shape, kCommand));
  WriteFile(folder + "/Makefile", MakefileOf(shape, kCommand));
  const std::string slots = std::to_string(options.slots);
  return {
      {"dayfly",
       {.argv = {options.dayfly, "run", "bench.yml", "--workers", slots, "--output", "json"},
        .env = {"DAYFLY_HOME=" + options.work + "/home-" + workload.name},
        .folder = folder}},
      {"ninja -j" + slots, {.argv = {"ninja", "--quiet", "-j" + slots}, .folder = folder}},
      {"make -j" + slots, {.argv = {"make", "-s", "-j" + slots}, .folder = folder}},
      {"bare spawn",
       {.argv = {options.self, "--bare-spawn", fmt::format("{}x{}", shape.layers, shape.width),
                 "--slots", slots},
        .folder = folder}},
  };
}

struct Result {
  std::vector<double> walls;
  std::vector<double> cpus;
};

void Print(const Options& options, const Workload& workload, const std::vector<Tool>& tools,
           const std::vector<Result>& results) {
  fmt::print("\n### {}: {} ({} jobs of `{}`, {} repetitions)\n\n", workload.name, workload.what,
             workload.shape.jobs(), kCommand, options.runs);
  const double ninja = Median(results[1].walls);
  Table table({"tool", "wall s", "spread %", "cpu s", "to ninja", "ms a job"});
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const double wall = Median(results[i].walls);
    table.Add({tools[i].name, Seconds(wall), fmt::format("{:.0f}", 100 * Spread(results[i].walls)),
               Seconds(Median(results[i].cpus)), Ratio(wall, ninja),
               fmt::format("{:.3f}", 1000 * wall / static_cast<double>(workload.shape.jobs()))});
  }
  fmt::print("{}", table.ToText());
}

void PrintCost(const Options& options, const Workload& workload, const Tool& dayfly) {
  const auto jobs = static_cast<double>(workload.shape.jobs());
  const auto a_job = [&](std::uint64_t count) {
    return fmt::format("{} ({:.2f} a job)", count, static_cast<double>(count) / jobs);
  };
  const auto cost = MeasureRunCost(dayfly.command, options.work);
  const auto flushes = CountFlushes(dayfly.command, options.work);
  if (!cost) {
    fmt::print("\ndayfly: no statistics\n");
    return;
  }
  fmt::print(
      "\ndayfly: facts {}, commits {}, flushes {}, bytes written to the store {}; first attempt "
      "after {:.1f} ms\n",
      a_job(cost->facts), a_job(cost->commits), flushes ? a_job(*flushes) : "unknown (no strace)",
      a_job(cost->store_bytes), static_cast<double>(cost->first_attempt_us) / 1000);
}

void MeasureWorkload(const Options& options, const Workload& workload) {
  const std::string folder = options.work + "/" + workload.name;
  FreshFolder(folder);
  FreshFolder(options.work + "/home-" + workload.name);
  const std::vector<Tool> tools = Tools(options, workload, folder);
  std::vector<Result> results(tools.size());
  // One unmeasured round warms files; then the tools take turns, so that a slow minute of the
  // machine meets all of them.
  for (int round = 0; round <= options.runs; ++round) {
    for (std::size_t i = 0; i < tools.size(); ++i) {
      const Measured measured = MustRun(tools[i].command);
      if (round > 0) {
        results[i].walls.push_back(measured.wall);
        results[i].cpus.push_back(measured.cpu);
      }
    }
  }
  Print(options, workload, tools, results);
  PrintCost(options, workload, tools.front());
}

}  // namespace

void BenchThroughput(const Options& options, const std::set<std::string>& only) {
  for (const Workload& workload : Workloads(options.quick)) {
    if (only.empty() || only.contains(workload.name) || only.contains(workload.name.substr(0, 2))) {
      MeasureWorkload(options, workload);
    }
  }
}

}  // namespace bench::driver
