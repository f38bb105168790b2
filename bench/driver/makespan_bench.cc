// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/driver/benches.h"
#include "bench/driver/files.h"
#include "bench/driver/measure.h"
#include "bench/driver/schedule.h"
#include "bench/driver/statistics.h"
#include "bench/driver/table.h"

namespace bench::driver {
namespace {

/// Recorded seconds are a thousandth of the real ones; ten times that makes the overhead small
/// enough to see the order, not the spawning.
constexpr double kScale = 10;

/// Seconds into the day of `2026-01-31T12:34:56.000001Z`.
double SecondsOfDay(const std::string& at) {
  if (at.size() < 26) {
    return 0;
  }
  return std::stod(at.substr(11, 2)) * 3600 + std::stod(at.substr(14, 2)) * 60 +
         std::stod(at.substr(17, 9));
}

/// From the first job's start to the last job's end, as the run's own lines tell it.
double MakespanOf(const std::string& lines) {
  std::optional<double> first;
  double last = 0;
  std::size_t from = 0;
  while (from < lines.size()) {
    const std::size_t end = std::min(lines.find('\n', from), lines.size());
    const auto line = nlohmann::json::parse(lines.substr(from, end - from), nullptr, false);
    from = end + 1;
    if (!line.is_object() || !line.contains("event")) {
      continue;
    }
    const std::string event = line.value("event", "");
    if (event == "job_started" && !first) {
      first = SecondsOfDay(line.value("at", ""));
    } else if (event == "job_ended") {
      last = SecondsOfDay(line.value("at", ""));
    }
  }
  const double took = last - first.value_or(last);
  return took < 0 ? took + 24 * 3600 : took;
}

struct Runs {
  std::vector<double> first, second, walls;
};

/// Each repetition has a home of its own: its first run knows no durations, its second does.
Runs RunTwice(const Options& options, const std::string& folder, const std::string& workers) {
  Runs runs;
  const std::string home = options.work + "/home-w6";
  const Command command{
      .argv = {options.dayfly, "run", "bench.yml", "--workers", workers, "--output", "json"},
      .env = {"DAYFLY_HOME=" + home},
      .folder = folder,
      .output = options.work + "/w6.lines"};
  for (int round = 0; round < options.runs; ++round) {
    FreshFolder(home);
    MustRun(command);
    runs.first.push_back(MakespanOf(ReadFile(command.output)));
    runs.walls.push_back(MustRun(command).wall);
    runs.second.push_back(MakespanOf(ReadFile(command.output)));
  }
  return runs;
}

std::vector<std::string> Files(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yml") {
      files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

void MeasureFile(const Options& options, const std::string& path, Table& table) {
  const std::string text = ScaleSleeps(ReadFile(path), kScale);
  const auto jobs = ReadSleepJobs(text);
  const std::string name = std::filesystem::path(path).stem().string();
  if (!jobs) {
    table.Add({name, "not in the form of a recorded workload"});
    return;
  }
  const std::string folder = options.work + "/w6";
  FreshFolder(folder);
  WriteFile(folder + "/bench.yml", text);
  for (const std::size_t workers : {std::size_t{4}, std::size_t{16}}) {
    const double ideal = Makespan(*jobs, workers, Order::kLongestPathFirst);
    const Runs runs = RunTwice(options, folder, std::to_string(workers));
    table.Add({name, std::to_string(workers), Seconds(LowerBound(*jobs, workers)), Seconds(ideal),
               Seconds(Makespan(*jobs, workers, Order::kFirstReady)), Seconds(Median(runs.first)),
               Seconds(Median(runs.second)), Ratio(Median(runs.second), ideal),
               Seconds(Median(runs.walls))});
  }
}

}  // namespace

void BenchMakespan(const Options& options) {
  const std::vector<std::string> files = Files(options.workloads);
  if (files.empty()) {
    fmt::print("\n### w6: skipped: no recorded workloads in {} (--workloads FOLDER)\n",
               options.workloads);
    return;
  }
  Options less = options;
  less.runs = options.quick ? 1 : std::min(options.runs, 3);  // these runs last seconds each
  fmt::print("\n### w6: recorded workloads, durations times {}, seconds ({} repetitions)\n\n",
             kScale, less.runs);
  Table table({"file", "workers", "bound", "ideal", "ideal FIFO", "first run", "second run",
               "second to ideal", "second, whole command"});
  for (const std::string& file : files) {
    MeasureFile(less, file, table);
  }
  fmt::print("{}", table.ToText());
}

}  // namespace bench::driver
