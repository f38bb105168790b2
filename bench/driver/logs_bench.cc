// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/driver/benches.h"
#include "bench/driver/files.h"
#include "bench/driver/measure.h"
#include "bench/driver/run_folder.h"
#include "bench/driver/statistics.h"
#include "bench/driver/table.h"

namespace bench::driver {
namespace {

struct Tool {
  std::string name;
  Command command;
  std::vector<double> walls;
  Measured last;
};

/// `seq` to here prints 200 MB in lines of up to 9 bytes; a tenth of it when quick.
const char* Printer(bool quick) {
  return quick ? "seq 1 2625000" : "seq 1 23456789";
}

std::vector<Tool> Tools(const Options& options, const std::string& folder) {
  const std::string printer = Printer(options.quick);
  WriteFile(folder + "/bench.yml",
            fmt::format("name: logs\njobs:\n  print: {{ steps: [{{ run: \"{}\" }}] }}\n", printer));
  WriteFile(folder + "/build.ninja", fmt::format("rule r\n  command = {}\nbuild x: r\n", printer));
  WriteFile(folder + "/Makefile", fmt::format(".PHONY: x\nx:\n\t@{}\n", printer));
  const std::string out = options.work + "/w4.out";
  return {
      {.name = "cmd | cat > file",
       .command = {.argv = {"sh", "-c", printer + " | cat > " + out}, .folder = folder}},
      // As durable as what Dayfly keeps.
      {.name = "cmd | cat > file; sync file",
       .command = {.argv = {"sh", "-c", fmt::format("{} | cat > {}; sync {}", printer, out, out)},
                   .folder = folder}},
      {.name = "dayfly",
       .command = {.argv = {options.dayfly, "run", "bench.yml", "--output", "json"},
                   .env = {"DAYFLY_HOME=" + options.work + "/home-w4"},
                   .folder = folder}},
      {.name = "ninja > file",
       .command = {.argv = {"ninja", "--quiet"}, .folder = folder, .output = out}},
      {.name = "make > file", .command = {.argv = {"make", "-s"}, .folder = folder, .output = out}},
  };
}

}  // namespace

void BenchLogs(const Options& options) {
  const std::string folder = options.work + "/w4";
  FreshFolder(folder);
  std::vector<Tool> tools = Tools(options, folder);
  for (int round = 0; round <= options.runs; ++round) {
    for (Tool& tool : tools) {
      FreshFolder(options.work + "/home-w4");
      const Measured measured = MustRun(tool.command);
      if (round > 0) {
        tool.walls.push_back(measured.wall);
      }
    }
  }
  std::uint64_t kept = 0;
  for (Tool& tool : tools) {
    FreshFolder(options.work + "/home-w4");
    tool.last = MustRun(tool.command, std::chrono::milliseconds(2));  // not timed
    if (tool.name == "dayfly") {
      kept = BytesBelow(NewestRunFolder(options.work + "/home-w4"));
    }
  }
  fmt::print("\n### w4: one step that prints {} MB of lines (`{}`, {} repetitions)\n\n",
             options.quick ? 20 : 200, Printer(options.quick), options.runs);
  Table table({"tool", "wall s", "spread %", "to cat", "peak MiB, whole tree", "largest process"});
  for (const Tool& tool : tools) {
    table.Add({tool.name, Seconds(Median(tool.walls)),
               fmt::format("{:.0f}", 100 * Spread(tool.walls)),
               Ratio(Median(tool.walls), Median(tools[0].walls)),
               MiB(static_cast<double>(tool.last.rss_tree)),
               MiB(static_cast<double>(tool.last.rss_process))});
  }
  fmt::print("{}\ndayfly kept {} MiB on disk\n", table.ToText(), MiB(static_cast<double>(kept)));
}

}  // namespace bench::driver
