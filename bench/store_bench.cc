// SPDX-License-Identifier: Apache-2.0
// The stores alone: commits of plain jobs (seven facts each) one after the other, as the commit
// thread makes them, to SQLite and to a private PostgreSQL, both with their durable defaults on the
// same disk. Prints commits and jobs a second, what a commit takes, and what a job costs.
//   store_bench [--seconds N]      of each line; default 3
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "store/postgres/connection.h"
#include "store/postgres/postgres_run_store.h"
#include "store/sqlite/sqlite_run_store.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/sample_facts.h"
#include "tests/support/temp_folder.h"

namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kDayOfIds = std::uint64_t{86'400'000} << 20;
constexpr model::RunId kRun{20'000 * kDayOfIds};
constexpr base::Instant kAt = base::InstantFromMicros(1'700'000'000'000'000);

struct Figures {
  double seconds = 0;
  std::uint64_t commits = 0;
  std::uint64_t jobs = 0;
  std::uint64_t statements = 0;
  std::uint64_t fact_bytes = 0;
  std::uint64_t log_bytes = 0;  ///< written ahead: SQLite's files, PostgreSQL's WAL
  double median_ms = 0;
  double p99_ms = 0;
};

/// Each job of a run of its own, so that each is a row: the dearest way.
ports::CommitBatch MakeBatch(model::Epoch epoch, std::uint64_t seq, std::uint64_t first_job,
                             std::uint32_t jobs) {
  ports::CommitBatch batch;
  batch.epoch = epoch;
  batch.seq_before = batch.seq_after = seq;
  for (std::uint32_t i = 0; i < jobs; ++i) {
    const model::RunId run(kRun.value() + first_job + i);
    batch.rows.push_back({run, tests::support::FactsOfPlainJob(run, model::JobIndex(0), kAt)});
    batch.seq_after += batch.rows.back().facts.size();
  }
  return batch;
}

/// `log_bytes` tells how much was written ahead so far.
Figures Measure(ports::RunStore& store, std::uint32_t batch_jobs, double seconds,
                const std::function<std::uint64_t()>& log_bytes) {
  const model::Epoch epoch = *store.AcquireShard();
  std::uint64_t seq = store.Recover()->seq;
  // The first commit prepares statements and makes partitions.
  ports::CommitBatch batch = MakeBatch(epoch, seq, 0, batch_jobs);
  CHECK(store.Commit(batch).ok());
  const ports::StoreCounters before = store.counters();
  const std::uint64_t log_before = log_bytes();
  Figures figures;
  std::vector<double> took;
  while (figures.seconds < seconds) {
    seq = batch.seq_after;
    batch = MakeBatch(epoch, seq, figures.jobs + batch_jobs, batch_jobs);
    const Clock::time_point begin = Clock::now();
    const base::Status status = store.Commit(batch);
    CHECK_MSG(status.ok(), status.ToString().c_str());
    took.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    figures.seconds += took.back();
    figures.jobs += batch_jobs;
  }
  const ports::StoreCounters after = store.counters();
  figures.commits = after.commits - before.commits;
  figures.statements = after.statements - before.statements;
  figures.fact_bytes = after.row_bytes - before.row_bytes;
  figures.log_bytes = log_bytes() - log_before;
  std::sort(took.begin(), took.end());
  figures.median_ms = took[took.size() / 2] * 1000;
  figures.p99_ms = took[took.size() * 99 / 100] * 1000;
  return figures;
}

void Print(const char* name, std::uint32_t batch_jobs, const Figures& figures) {
  const auto jobs = static_cast<double>(figures.jobs);
  fmt::print(
      "{:<9} {:>5} {:>9.0f} {:>9.0f} {:>9.0f} {:>9.2f} {:>9.2f} {:>8.3f} {:>8.0f} {:>9.0f}\n", name,
      batch_jobs, static_cast<double>(figures.commits) / figures.seconds, jobs / figures.seconds,
      2 * jobs / figures.seconds, figures.median_ms, figures.p99_ms,
      static_cast<double>(figures.statements) / jobs,
      static_cast<double>(figures.fact_bytes) / jobs,
      static_cast<double>(figures.log_bytes) / jobs);
}

Figures OnSqlite(std::uint32_t batch_jobs, double seconds) {
  tests::support::TempFolder folder;
  const auto store = *store::sqlite::OpenSqliteRunStore(folder.File("facts.db"));
  return Measure(*store, batch_jobs, seconds, [&store] { return store->counters().written_bytes; });
}

Figures OnPostgres(std::uint32_t batch_jobs, double seconds) {
  const std::string database = tests::support::SharedCluster().NewDatabase();
  const auto store = *store::postgres::OpenPostgresRunStore({.conninfo = database});
  const auto side = *store::postgres::Connection::Open({.conninfo = database});
  return Measure(*store, batch_jobs, seconds, [&side] {
    return (*side->Run({"wal", "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"})).Uint(0, 0);
  });
}

double SecondsFrom(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], "--seconds") == 0) {
      return std::strtod(argv[i + 1], nullptr);
    }
  }
  return 3;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = SecondsFrom(argc, argv);
  fmt::print("{:<9} {:>5} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8} {:>9}\n", "store", "batch",
             "commits/s", "jobs/s", "rows/s", "median ms", "p99 ms", "stmt/job", "fact B",
             "logged B");
  for (const std::uint32_t batch_jobs : {1U, 16U, 256U}) {
    Print("sqlite", batch_jobs, OnSqlite(batch_jobs, seconds));
    Print("postgres", batch_jobs, OnPostgres(batch_jobs, seconds));
  }
  return 0;
}
