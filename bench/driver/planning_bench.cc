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
  double bytes;
};

/// Writes the files `0.yml` and so on. Their texts are gone when it returns: a child begins as our
/// copy, and what we held would count as its peak.
std::vector<Document> WriteDocuments(const std::string& folder, bool quick) {
  const std::size_t part = quick ? 10 : 1;
  const std::size_t some = 10'000 / part;
  const std::size_t many = 100'000 / part;
  const std::size_t cells = 1'000 / part;
  std::vector<Document> documents;
  const auto add = [&](std::string name, std::size_t jobs, const std::string& text) {
    WriteFile(fmt::format("{}/{}.yml", folder, documents.size()), text);
    documents.push_back({std::move(name), jobs, static_cast<double>(text.size())});
  };
  add("10 jobs", 10, ManyJobs(10));
  add(fmt::format("{} jobs", some), some, ManyJobs(some));
  add(fmt::format("{} jobs", many), many, ManyJobs(many));
  add(fmt::format("two stages of {}", many / 2), many, TwoStages(many / 2));
  add(fmt::format("{0} cells need {0} cells", cells), 2 * cells, MatrixNeedsMatrix(cells));
  add(fmt::format("{} jobs on templates", 2 * cells / 10), 2 * cells / 10,
      TemplateFamily(2 * cells / 10));
  return documents;
}

}  // namespace

void BenchPlanning(const Options& options) {
  const std::string folder = options.work + "/w5";
  FreshFolder(folder);
  const std::vector<Document> documents = WriteDocuments(folder, options.quick);
  std::vector<std::vector<double>> walls(documents.size());
  std::vector<std::vector<double>> peaks(documents.size());
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
    table.Add({documents[i].name, MiB(documents[i].bytes), Seconds(Median(walls[i])),
               fmt::format("{:.1f}", 1e6 * Median(walls[i]) / jobs), MiB(peak),
               i == 0 ? "" : fmt::format("{:.0f}", (peak - Median(peaks[0])) / jobs)});
  }
  fmt::print("{}", table.ToText());
}

}  // namespace bench::driver
