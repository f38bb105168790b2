// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/driver/benches.h"
#include "bench/driver/files.h"
#include "bench/driver/measure.h"
#include "bench/driver/statistics.h"
#include "bench/driver/table.h"
#include "bench/driver/workloads.h"

namespace bench::driver {
namespace {

struct Document {
  std::string name;
  std::size_t jobs;
  std::string text;
};

std::vector<Document> Documents(bool quick) {
  const std::size_t part = quick ? 10 : 1;
  const std::size_t many = 100'000 / part;
  std::vector<Document> documents;
  documents.push_back({"10 jobs", 10, ManyJobs(10)});
  documents.push_back({"10,000 jobs", 10'000 / part, ManyJobs(10'000 / part)});
  documents.push_back({"100,000 jobs", many, ManyJobs(many)});
  documents.push_back({"two stages of 50,000", many, TwoStages(many / 2)});
  documents.push_back(
      {"1,000 cells need 1,000 cells", 2000 / part, MatrixNeedsMatrix(1000 / part)});
  return documents;
}

}  // namespace

void BenchPlanning(const Options& options) {
  const std::string folder = options.work + "/w5";
  FreshFolder(folder);
  const std::vector<Document> documents = Documents(options.quick);
  std::vector<std::vector<double>> walls(documents.size());
  std::vector<std::vector<double>> peaks(documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) {
    WriteFile(fmt::format("{}/{}.yml", folder, i), documents[i].text);
  }
  for (int round = 0; round < options.runs; ++round) {
    for (std::size_t i = 0; i < documents.size(); ++i) {
      const Measured measured =
          MustRun({.argv = {options.dayfly, "plan", fmt::format("{}.yml", i), "--format", "json"},
                   .env = {"DAYFLY_HOME=" + options.work + "/home-w5"},
                   .folder = folder});
      walls[i].push_back(measured.wall);
      peaks[i].push_back(static_cast<double>(measured.rss_process));
    }
  }
  fmt::print("\n### w5: `dayfly plan --format json` ({} repetitions)\n\n", options.runs);
  Table table({"file", "MiB", "wall s", "µs a job", "peak MiB", "bytes a job"});
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const auto jobs = static_cast<double>(documents[i].jobs);
    const double peak = Median(peaks[i]);
    table.Add({documents[i].name, MiB(static_cast<double>(documents[i].text.size())),
               Seconds(Median(walls[i])), fmt::format("{:.1f}", 1e6 * Median(walls[i]) / jobs),
               MiB(peak), i == 0 ? "" : fmt::format("{:.0f}", (peak - Median(peaks[0])) / jobs)});
  }
  fmt::print("{}", table.ToText());
}

}  // namespace bench::driver
