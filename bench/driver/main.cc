// SPDX-License-Identifier: Apache-2.0
// `scripts/bench` runs this; bench/README.md tells what each workload is.
#include <cstdio>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/driver/bare_spawn.h"
#include "bench/driver/benches.h"
#include "bench/driver/files.h"
#include "bench/driver/machine.h"
#include "bench/driver/measure.h"

namespace bench::driver {
namespace {

std::set<std::string> SplitNames(const std::string& list) {
  std::set<std::string> names;
  std::istringstream in(list);
  for (std::string name; std::getline(in, name, ',');) {
    names.insert(name);
  }
  return names;
}

/// `10x100`: ten layers of a hundred.
Shape ShapeOf(const std::string& text) {
  Shape shape;
  char by = 0;
  std::istringstream(text) >> shape.layers >> by >> shape.width;
  return shape;
}

int BenchAll(const Options& options, const std::set<std::string>& only) {
  const auto wants = [&](const char* name) { return only.empty() || only.contains(name); };
  std::filesystem::create_directories(options.work);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  fmt::print("{}\n", DescribeMachine(options.work));
  BenchThroughput(options, only);
  if (wants("w4")) {
    BenchLogs(options);
  }
  if (wants("w5")) {
    BenchPlanning(options);
  }
  if (wants("w6")) {
    BenchMakespan(options);
  }
  if (wants("w7")) {
    BenchCore(options);
  }
  return 0;
}

}  // namespace

void BenchCore(const Options& options) {
  if (options.core_bench.empty() || !FileExists(options.core_bench)) {
    fmt::print("\n### w7: skipped: core_bench was not built\n");
    return;
  }
  fmt::print("\n### w7: the core alone\n\n");
  const std::string out = options.work + "/w7.out";
  MustRun({.argv = {options.core_bench}, .output = out});
  fmt::print("{}", ReadFile(out));
}

}  // namespace bench::driver

int main(int argc, char** argv) {
  using bench::driver::Options;
  Options options;
  options.self = std::filesystem::absolute(argv[0]).string();
  std::string only;
  std::string bare;
  CLI::App app("Measures dayfly beside ninja, make and a bare spawn loop");
  app.add_option("--dayfly", options.dayfly, "the binary");
  app.add_option("--core-bench", options.core_bench, "the program of w7");
  app.add_option("--work", options.work, "scratch folder, on the disk that is to be measured");
  app.add_option("--workloads", options.workloads, "folder of recorded workloads");
  app.add_option("--only", only, "w1,w2,w3,w3e,w4,w5,w6,w7");
  app.add_option("--runs", options.runs, "repetitions")->check(CLI::Range(1, 1000));
  app.add_option("--slots", options.slots, "jobs at a time")->check(CLI::Range(1, 1024));
  app.add_flag("--quick", options.quick, "a tenth of everything: shows that it works");
  app.add_option("--bare-spawn", bare, "only the bare loop: LAYERSxWIDTH");
  CLI11_PARSE(app, argc, argv);
  if (!bare.empty()) {
    return bench::driver::BareSpawn(bench::driver::ShapeOf(bare), "true", options.slots);
  }
  if (options.dayfly.empty() || options.work.empty()) {
    std::fputs("bench: --dayfly and --work are needed (scripts/bench gives them)\n", stderr);
    return 2;
  }
  return bench::driver::BenchAll(options, bench::driver::SplitNames(only));
}
