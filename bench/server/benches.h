// SPDX-License-Identifier: Apache-2.0
// What `server_bench` measures, a function each; each prints its lines.
#pragma once

#include <cstdint>

#include "bench/server/site.h"

namespace bench::server {

struct Options {
  StoreKind store = StoreKind::kPostgres;
  bool quick = false;  ///< a tenth of everything: shows that it works
};

/// Jobs a second from submit to done, and what a job costs the database.
void BenchThroughput(const Options& options);
/// From ready to given to a worker, while slots are free.
void BenchDispatch(const Options& options);
/// Submits one after the other, each acknowledged durable.
void BenchSubmit(const Options& options);
/// Statements a second with 1,000 agents that have nothing to do.
void BenchIdle(const Options& options);
/// The server's memory with 100,000 queued jobs and 1,000 agents; an idle agent's.
void BenchMemory(const Options& options);
/// From ready until a reader has the step's first line, and where the time goes.
void BenchFirstLine(const Options& options);
/// How fast one writer's lines arrive at the server, and many writers' at a reader.
void BenchLogs(const Options& options);
/// Whether a step with many followers takes longer.
void BenchFollowers(const Options& options);
/// From the loss of a worker (killed, or silent) until another has begun what it ran.
void BenchLoss(const Options& options);

}  // namespace bench::server
