// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <fmt/format.h>

#include "bench/server/benches.h"
#include "bench/server/figures.h"
#include "bench/server/floor.h"
#include "bench/server/runs.h"

namespace bench::server {

void BenchSubmit(const Options& options) {
  const std::uint32_t submits = options.quick ? 50 : 1000;
  Site site(options.store);
  auto connection = site.Connect();
  const std::string pipeline = PipelineOf(3);
  for (int i = 0; i < 20; ++i) {
    Submit(connection, pipeline);  // prepared statements, partitions, connections
  }
  CommitFloor floor(site);
  std::vector<double> took;
  for (std::uint32_t i = 0; i < submits; ++i) {
    took.push_back(SecondsOf([&] { Submit(connection, pipeline); }));
    floor.Measure();
  }
  fmt::print("submit until durable, {} runs of 3 jobs: p50 {}, p99 {}\n", submits,
             Millis(Quantile(took, 0.5)), Millis(Quantile(took, 0.99)));
  if (!floor.seconds().empty()) {
    fmt::print("  a commit of one row beside it: p50 {}, p99 {}; ratio of the medians {:.1f}\n",
               Millis(Quantile(floor.seconds(), 0.5)), Millis(Quantile(floor.seconds(), 0.99)),
               Quantile(took, 0.5) / Quantile(floor.seconds(), 0.5));
  }
}

}  // namespace bench::server
