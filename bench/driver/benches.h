// SPDX-License-Identifier: Apache-2.0
// The measurements, W1 to W7. Each prints its tables on standard output.
#pragma once

#include <set>
#include <string>

#include "bench/driver/options.h"

namespace bench::driver {

/// W1 independent jobs, W2 a chain, W3 layers (as stages, and as 90,000 edges), beside ninja, make
/// and a bare spawn loop.
void BenchThroughput(const Options& options, const std::set<std::string>& only);
/// W4: one step that prints 200 MB of lines, beside `cmd | cat > file`, ninja and make.
void BenchLogs(const Options& options);
/// W5: `dayfly plan` of large pipelines: time, memory a job.
void BenchPlanning(const Options& options);
/// W6: recorded workloads beside an ideal schedule.
void BenchMakespan(const Options& options);
/// W7: the core alone.
void BenchCore(const Options& options);

}  // namespace bench::driver
