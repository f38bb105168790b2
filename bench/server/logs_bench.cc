// SPDX-License-Identifier: Apache-2.0
// Logs from a real agent's steps to readers at the server.
#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "api/client/log_client.h"
#include "bench/server/benches.h"
#include "bench/server/figures.h"
#include "bench/server/floor.h"
#include "bench/server/runs.h"
#include "engine/base/check.h"
#include "store/logs/segment_reader.h"

namespace bench::server {
namespace {

namespace model = engine::model;
using tests::support::DayflyProcess;

std::unique_ptr<DayflyProcess> StartAgent(const Site& site, std::uint32_t slots) {
  return std::make_unique<DayflyProcess>(
      site.Launch({"agent", "--server", site.address(), "--slots", std::to_string(slots),
                   "--folder", site.File("agent"), "--token", site.Token()},
                  "agent"));
}

std::string OneStep(const std::string& command) {
  return fmt::format(
      "name: logs\njobs:\n  j:\n    checkout: false\n    steps:\n      - run: |\n          {}\n",
      command);
}

void FailMissing(const model::AttemptKey& /*attempt*/, model::StepIndex /*step*/,
                 std::string_view what) {
  CHECK_MSG(false, std::string(what).c_str());
}

/// Until the run is over and all of its logs are with the server; of them only the end is read.
void AwaitLogs(api::client::Connection& connection, model::RunId run) {
  CHECK(AwaitEnd(connection, run));
  api::client::LogHandlers handlers;
  handlers.bytes = [](const api::client::LogPiece&) {};
  handlers.missing = FailMissing;
  api::client::LogQuery query;
  query.run = run;
  query.follow = true;
  query.tail_lines = 1;
  const auto read = api::client::LogClient(connection).Read(query, handlers);
  CHECK_MSG(read.ok(), read.ToString().c_str());
}

/// What a follower of the run got, by job. Returns when the run is over.
std::map<model::JobIndex, std::string> Follow(api::client::Connection& connection,
                                              model::RunId run) {
  std::map<model::JobIndex, std::string> logs;
  api::client::LogHandlers handlers;
  handlers.bytes = [&](const api::client::LogPiece& piece) {
    logs[piece.attempt.job] += piece.bytes;
  };
  handlers.missing = FailMissing;
  api::client::LogQuery query;
  query.run = run;
  query.follow = true;
  const auto read = api::client::LogClient(connection).Read(query, handlers);
  CHECK_MSG(read.ok(), read.ToString().c_str());
  return logs;
}

void WriteLines(const std::string& path, std::size_t bytes) {
  std::ofstream file(path);
  for (std::size_t written = 0, line = 0; written < bytes; ++line) {
    const std::string text = fmt::format("{:08} compiling source file number {} of the tree\n",
                                         line, line * 7919 % 100003);
    file << text;
    written += text.size();
  }
}

double ShellSeconds(const std::string& command) {
  return SecondsOf([&] { CHECK(std::system(command.c_str()) == 0); });
}

void OneWriter(const Site& site, api::client::Connection& connection, const Options& options) {
  const std::size_t bytes = std::size_t{options.quick ? 10U : 100U} << 20;
  const std::string lines = site.File("lines");
  WriteLines(lines, bytes);
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int i = 0; i < 3; ++i) {
    theirs.push_back(ShellSeconds(fmt::format("cat {0} | zstd -q -1 | cat > {0}.zst", lines)));
    ours.push_back(
        SecondsOf([&] { AwaitLogs(connection, Submit(connection, OneStep("cat " + lines))); }));
  }
  const double our = Quantile(ours, 0.5);
  const double their = Quantile(theirs, 0.5);
  fmt::print(
      "one writer of {} MiB, from submit until all of it is with the server: {:.0f} MB/s;"
      " cmd | zstd -1 | cat > file: {:.0f} MB/s; ratio {:.2f}\n",
      bytes >> 20, static_cast<double>(bytes) / our / 1e6, static_cast<double>(bytes) / their / 1e6,
      their / our);
}

void ManyWriters(api::client::Connection& connection, const Options& options) {
  constexpr std::uint32_t kWriters = 50;
  const std::uint32_t lines = options.quick ? 2'000 : 20'000;
  std::string pipeline = "name: writers\njobs:\n";
  for (std::uint32_t i = 0; i < kWriters; ++i) {
    pipeline += fmt::format(
        "  w{0}: {{ checkout: false, steps: [\"seq -f 'writer {0} line %.0f' {1}\"] }}\n", i,
        lines);
  }
  std::map<model::JobIndex, std::string> logs;
  const double seconds =
      SecondsOf([&] { logs = Follow(connection, Submit(connection, pipeline)); });
  for (std::uint32_t i = 0; i < kWriters; ++i) {
    std::string wanted;
    for (std::uint32_t line = 1; line <= lines; ++line) {
      wanted += fmt::format("writer {} line {}\n", i, line);
    }
    CHECK(logs[model::JobIndex(i)] == wanted);
  }
  fmt::print("{} writers of {} lines: each arrived byte for byte, {:.2f} s\n", kWriters, lines,
             seconds);
}

/// When something of the run was first at a reader who followed it from its submit.
engine::base::Instant FollowToFirstByte(api::client::Connection& connection, model::RunId run) {
  std::chrono::system_clock::time_point seen;
  api::client::LogHandlers handlers;
  handlers.bytes = [&](const api::client::LogPiece& piece) {
    if (!piece.bytes.empty() && seen == std::chrono::system_clock::time_point()) {
      seen = std::chrono::system_clock::now();
    }
  };
  handlers.missing = FailMissing;
  api::client::LogQuery query;
  query.run = run;
  query.follow = true;
  CHECK(api::client::LogClient(connection).Read(query, handlers).ok());
  return engine::base::Instant(
      std::chrono::duration_cast<engine::base::Duration>(seen.time_since_epoch()));
}

void PrintQuantiles(std::string_view what, const std::vector<double>& seconds) {
  fmt::print("{}: p50 {}, p99 {}\n", what, Millis(Quantile(seconds, 0.5)),
             Millis(Quantile(seconds, 0.99)));
}

/// When the agent's only slot read the first byte of its newest step.
engine::base::Instant PrintedAt(const Site& site) {
  store::logs::SegmentReader spool(site.File("agent") + "/logs");
  const auto newest = spool.ReadLive(0);
  CHECK_MSG(newest.ok(), newest.status().ToString().c_str());
  const auto times = spool.Times(newest->log);
  CHECK(!times.empty());
  return times.front().at;
}

/// All clocks are one machine's.
void FirstLine(const Site& site, api::client::Connection& connection, const Options& options) {
  const auto between = [](engine::base::Instant from, engine::base::Instant to) {
    return std::chrono::duration<double>(to - from).count();
  };
  CommitFloor commits(site);
  FlushFloor flushes(site);
  StartFloor starts;
  std::vector<double> took;
  std::vector<double> to_print;
  std::vector<double> to_reader;
  for (int i = 0; i < (options.quick ? 10 : 100); ++i) {
    const model::RunId run = Submit(connection, OneStep("echo here"));
    const auto seen = FollowToFirstByte(connection, run);
    const auto ready = ReadyAt(connection, run);
    took.push_back(between(ready, seen));
    const auto printed = PrintedAt(site);
    to_print.push_back(between(ready, printed));
    to_reader.push_back(between(printed, seen));
    commits.Measure();
    flushes.Measure();
    starts.Measure();
  }
  PrintQuantiles(fmt::format("ready to first log line at a reader, {} runs", took.size()), took);
  PrintQuantiles("  ready until the step has printed it", to_print);
  PrintQuantiles("  from there to the reader", to_reader);
  PrintQuantiles("  beside it, once on the way: a commit of one row", commits.seconds());
  PrintQuantiles("  beside it, once on the way: a shell started until it has printed",
                 starts.seconds());
  PrintQuantiles("  beside it, twice on the way: a flush of a file", flushes.seconds());
  const double floor = Quantile(commits.seconds(), 0.5) + Quantile(starts.seconds(), 0.5) +
                       2 * Quantile(flushes.seconds(), 0.5);
  fmt::print("  ratio of the medians to what these take together: {:.1f}\n",
             Quantile(took, 0.5) / floor);
}

/// In life a thousand followers have processors of their own: here they get what is left over.
void StepAside() {
  constexpr int kThisThread = 0;
  CHECK(setpriority(PRIO_PROCESS, kThisThread, 19) == 0);
}

/// How long a step takes that prints 1 MB, some at a time, while so many follow it.
double StepSeconds(const Site& site, api::client::Connection& connection, std::size_t followers) {
  const model::RunId run =
      Submit(connection, OneStep("text=$(head -c 5000 /dev/zero | tr '\\0' x);"
                                 " for i in $(seq 200); do echo $text; sleep 0.01; done"));
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> bytes = 0;
  for (std::size_t i = 0; i < followers; ++i) {
    threads.emplace_back([&] {
      StepAside();
      auto own = site.Connect();
      for (const auto& [job, text] : Follow(own, run)) {
        bytes += text.size();
      }
    });
  }
  CHECK(AwaitEnd(connection, run));
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(bytes == followers * 200 * 5001);
  return StepTook(connection, run);
}

void Followers(const Site& site, api::client::Connection& connection, const Options& options) {
  const std::size_t followers = options.quick ? 100 : 1000;
  const double alone = StepSeconds(site, connection, 0);
  const double followed = StepSeconds(site, connection, followers);
  fmt::print("a step of 1 MB: alone {:.2f} s, with {} followers {:.2f} s; ratio {:.2f}\n", alone,
             followers, followed, followed / alone);
}

}  // namespace

void BenchFirstLine(const Options& options) {
  Site site(options.store);
  auto connection = site.Connect();
  const auto agent = StartAgent(site, 1);
  CHECK(AwaitEnd(connection, Submit(connection, OneStep("true"))));
  FirstLine(site, connection, options);
}

void BenchLogs(const Options& options) {
  Site site(options.store);
  auto connection = site.Connect();
  const auto agent = StartAgent(site, 50);
  CHECK(AwaitEnd(connection, Submit(connection, OneStep("true"))));
  OneWriter(site, connection, options);
  ManyWriters(connection, options);
}

void BenchFollowers(const Options& options) {
  Site site(options.store);
  auto connection = site.Connect();
  const auto agent = StartAgent(site, 2);
  CHECK(AwaitEnd(connection, Submit(connection, OneStep("true"))));
  Followers(site, connection, options);
}

}  // namespace bench::server
