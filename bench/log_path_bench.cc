// SPDX-License-Identifier: Apache-2.0
// The way of log bytes from a step to a server's archive, in one process and without the network:
// keepers, spool, shipper, arrivals, archive. `log_path_bench [writer|writers|followers]`:
//   writer     200 MB of lines from one step, beside `cmd | zstd -1 | cat > file`
//   writers    50 steps of 20,000 lines each at once; every byte is compared
//   followers  one log with 1,000 followers and without any
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "agents/logs/log_shipper.h"
#include "engine/base/check.h"
#include "engine/base/checksum.h"
#include "executors/sandboxes/host_sandbox.h"
#include "executors/sandboxes/keeper.h"
#include "store/logs/segment_reader.h"
#include "store/logs/server_logs.h"

namespace {

namespace fs = std::filesystem;
namespace model = engine::model;
namespace ports = engine::ports;
using Clock = std::chrono::steady_clock;

constexpr int kRepetitions = 5;
constexpr std::uint64_t kSpoolBytes = 256 << 20;

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

double Seconds(const std::function<void()>& work) {
  const auto before = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - before).count();
}

model::LogKey LogOf(std::uint32_t slot) {
  return {.attempt = {.run = model::RunId(1), .job = model::JobIndex(slot), .attempt = 1},
          .step = model::StepIndex(0)};
}

std::unique_ptr<store::logs::ServerLogs> OpenLogs(const std::string& folder) {
  auto logs = store::logs::ServerLogs::Open({.folder = folder, .epoch = model::Epoch(1)});
  CHECK(logs.ok());
  return *std::move(logs);
}

std::string Scratch() {
  const char* where = std::getenv("DAYFLY_BENCH_DIR");
  std::string pattern = std::string(where == nullptr ? "/tmp" : where) + "/log-path-XXXXXX";
  CHECK(mkdtemp(pattern.data()) != nullptr);
  return pattern;
}

/// A worker with slots and a server, joined by function calls.
class Path {
 public:
  explicit Path(std::uint32_t slots) : folder_(Scratch()), server_(OpenLogs(folder_ + "/server")) {
    fs::create_directory(folder_ + "/logs");
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
      auto made = executors::sandboxes::StartHostSandbox(
          io_, {.run_folder = folder_, .slot = slot, .spool_bytes_max = kSpoolBytes});
      CHECK(made.ok());
      sandboxes_.push_back(*std::move(made));
    }
    shipper_ = std::make_unique<agents::logs::LogShipper>(
        io_, agents::logs::LogShipperOptions{
                 .folder = folder_ + "/logs",
                 .notes = folder_ + "/unshipped",
                 .spool = &spool_,
                 .send_bytes =
                     [this](const model::LogKey& log, std::uint64_t offset, std::string bytes) {
                       server_->Append(log, offset, std::move(bytes), AnswerFor(log));
                     },
                 .send_end =
                     [this](const model::LogKey& log, const model::LogEnd& end) {
                       server_->End(log, end, AnswerFor(log));
                     },
                 .shipping = {}});
    CHECK(shipper_->Open().ok());
    server_->OnArchived(
        [this](const model::LogKey& log, const model::LogMarks& marks) { Answer(log, marks); });
    shipper_->Connected();
  }
  ~Path() {
    sandboxes_.clear();
    shipper_.reset();
    server_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  /// Runs `script` in each slot, until its log is received to the end (not: archived).
  void Run(const std::string& script) {
    std::size_t left = sandboxes_.size();
    for (std::uint32_t slot = 0; slot < sandboxes_.size(); ++slot) {
      shipper_->StepStarted(slot, LogOf(slot));
      ports::Command command{.argv = {"/bin/sh", "-c", script},
                             .env = {"PATH=/usr/bin:/bin", "SLOT=" + std::to_string(slot)},
                             .workdir = "/"};
      command.log_tag = {.job = slot, .attempt = 1, .step = 0};
      sandboxes_[slot]->Start(command, [this, slot](const ports::CommandExit& exit) {
        CHECK(exit.started.ok() && exit.exit_code == 0);
        shipper_->StepEnded(slot, LogOf(slot), exit.log);
      });
    }
    ended_ = 0;
    while (ended_ < left && io_.run_one() > 0) {
    }
  }

  std::string TextOf(std::uint32_t slot) {
    std::string text;
    const auto reader =
        server_->Open({.logs = {.run = model::RunId(1), .job = LogOf(slot).attempt.job}});
    while (true) {
      std::promise<bool> more;
      reader->Next([&](auto piece) {
        CHECK(piece.ok());
        if (piece->has_value()) {
          text += (*piece)->bytes;
        }
        more.set_value(piece->has_value());
      });
      if (!more.get_future().get()) {
        return text;
      }
    }
  }

 private:
  ports::LogSink::Answer AnswerFor(const model::LogKey& log) {
    return [this, log](const auto& marks) {
      if (marks.ok()) {
        Answer(log, *marks);
      }
    };
  }
  void Answer(const model::LogKey& log, const model::LogMarks& marks) {
    boost::asio::post(io_, [this, log, marks] {
      if (marks.ended && !has_ended_[log]) {
        has_ended_[log] = true;
        ++ended_;
      }
      shipper_->Answered(
          log,
          {.received = marks.received, .archived = marks.archived, .complete = marks.complete});
    });
  }

  boost::asio::io_context io_;
  std::string folder_;
  store::logs::SegmentReader spool_{folder_ + "/logs"};
  std::unique_ptr<store::logs::ServerLogs> server_;
  std::unique_ptr<agents::logs::LogShipper> shipper_;
  std::vector<std::unique_ptr<ports::Sandbox>> sandboxes_;
  std::map<model::LogKey, bool> has_ended_;
  std::size_t ended_ = 0;
};

void OneWriter() {
  const std::string print =
      "yes 'a line of a log that is as long as many lines of logs are, more or less' | head -c "
      "200000000";
  const std::string file = Scratch() + "/out";
  const std::string bare =
      "sh -c \"" + print + "\" | zstd -q -1 | cat > " + file + " && sync " + file;
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int i = 0; i < kRepetitions; ++i) {
    theirs.push_back(Seconds([&] { CHECK(std::system(bare.c_str()) == 0); }));
    Path path(1);
    ours.push_back(Seconds([&] { path.Run(print); }));
  }
  std::printf(
      "writer: 200 MB; durable on the server %.3f s, cmd | zstd -1 | cat %.3f s, ratio %.2f\n",
      Median(ours), Median(theirs), Median(theirs) / Median(ours));
  fs::remove_all(fs::path(file).parent_path());
}

void ManyWriters() {
  constexpr std::uint32_t kWriters = 50;
  constexpr int kLines = 20'000;
  Path path(kWriters);
  const double seconds = Seconds([&] {
    path.Run("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo \"writer $SLOT line $i\"; done");
  });
  for (std::uint32_t slot = 0; slot < kWriters; ++slot) {
    std::string expected;
    for (int i = 1; i <= kLines; ++i) {
      expected += "writer " + std::to_string(slot) + " line " + std::to_string(i) + "\n";
    }
    CHECK(path.TextOf(slot) == expected);
  }
  std::printf("writers: %u steps of %d lines, byte for byte the same at the server, %.2f s\n",
              kWriters, kLines, seconds);
}

/// Reads to the end of the log, again and again asking for the next piece.
struct Follower {
  std::unique_ptr<ports::LogReader> reader;
  std::uint64_t bytes = 0;
  std::promise<void> done;
  void Ask() {
    reader->Next([this](auto piece) {
      CHECK(piece.ok());
      if (!piece->has_value()) {
        return done.set_value();
      }
      bytes += (*piece)->bytes.size();
      Ask();
    });
  }
};

/// Seconds until all batches are received; the followers' own end is waited for, not counted.
double WriteFollowed(std::size_t followers) {
  constexpr std::uint64_t kBatch = 64 << 10;
  constexpr std::uint64_t kBytes = 64 << 20;
  const std::string folder = Scratch();
  auto logs = OpenLogs(folder + "/server");
  std::vector<std::unique_ptr<Follower>> all;
  for (std::size_t i = 0; i < followers; ++i) {
    all.push_back(std::make_unique<Follower>());
    all.back()->reader = logs->Open({.logs = {.run = model::RunId(1),
                                              .job = model::JobIndex(0),
                                              .attempt = 1,
                                              .step = model::StepIndex(0)},
                                     .follow = true});
    all.back()->Ask();
  }
  const std::string batch(kBatch, 'x');
  std::uint32_t checksum = 0;
  const double seconds = Seconds([&] {
    for (std::uint64_t at = 0; at < kBytes; at += kBatch) {
      std::promise<void> received;
      logs->Append(LogOf(0), at, batch, [&](const auto& marks) {
        CHECK(marks.ok());
        received.set_value();
      });
      received.get_future().get();
      checksum = engine::base::Crc32(checksum, batch);
    }
  });
  logs->End(LogOf(0), {.length = kBytes, .checksum = checksum}, [](const auto&) {});
  for (const auto& follower : all) {
    follower->done.get_future().get();
    CHECK(follower->bytes == kBytes);
  }
  all.clear();
  logs.reset();
  fs::remove_all(folder);
  return seconds;
}

void Followers() {
  std::vector<double> alone;
  std::vector<double> followed;
  for (int i = 0; i < kRepetitions; ++i) {
    alone.push_back(WriteFollowed(0));
    followed.push_back(WriteFollowed(1000));
  }
  std::printf("followers: 64 MiB in batches of 64 KiB; alone %.3f s, with 1,000 followers %.3f s\n",
              Median(alone), Median(followed));
}

}  // namespace

int main(int argc, char** argv) {
  if (executors::sandboxes::IsKeeperCall(argc, argv)) {
    return executors::sandboxes::KeeperMain(argc, argv);
  }
  const std::string only = argc > 1 ? argv[1] : "";
  if (only.empty() || only == "writer") {
    OneWriter();
  }
  if (only.empty() || only == "writers") {
    ManyWriters();
  }
  if (only.empty() || only == "followers") {
    Followers();
  }
  return 0;
}
