// SPDX-License-Identifier: Apache-2.0
// The keeper alone, beside the same work done barely: spawns a second with one and two keepers, the
// workspace's hand-over, and 200 MB of log against `cmd | cat > file`. Each pair takes turns.
// `sandbox_bench start|spawn|workspace|log` measures one of them.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "bench/driver/bare_spawn.h"
#include "executors/sandboxes/host_sandbox.h"
#include "executors/sandboxes/keeper.h"

namespace {

using engine::ports::Command;
using engine::ports::CommandExit;
using engine::ports::Sandbox;
using Clock = std::chrono::steady_clock;

constexpr int kRepetitions = 7;

double Seconds(const std::function<void()>& work) {
  const auto before = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - before).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Keepers in a run folder of their own.
class Keepers {
 public:
  explicit Keepers(std::uint32_t count) {
    std::string pattern = std::filesystem::temp_directory_path() / "dayfly-bench-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    for (std::uint32_t slot = 0; slot < count; ++slot) {
      auto made =
          executors::sandboxes::StartHostSandbox(io_, {.run_folder = folder_, .slot = slot});
      if (!made.ok()) {
        std::fprintf(stderr, "%s\n", made.status().ToString().c_str());
        std::exit(1);
      }
      sandboxes_.push_back(*std::move(made));
    }
    for (auto& sandbox : sandboxes_) {
      Ask([&](const std::function<void()>& done) { sandbox->KillAll(done); });
    }
  }
  ~Keepers() {
    sandboxes_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  /// Runs `command` `count` times, one at a time in each slot.
  void Run(const Command& command, int count) {
    int open = 0;
    std::function<void(Sandbox&)> next = [&](Sandbox& sandbox) {
      if (count == 0) {
        return;
      }
      --count;
      ++open;
      sandbox.Start(command, [&](const CommandExit& exit) {
        if (!exit.started.ok()) {
          std::fprintf(stderr, "%s\n", exit.started.ToString().c_str());
          std::exit(1);
        }
        --open;
        next(sandbox);
      });
    };
    for (auto& sandbox : sandboxes_) {
      next(*sandbox);
    }
    io_.restart();
    while (open > 0) {
      io_.run_one();
    }
  }

  void Prepare(const std::string& lower) {
    Ask([&](const std::function<void()>& done) {
      sandboxes_[0]->PrepareWorkspace({.lower = lower, .path = folder_ + "/ws"},
                                      [done](const engine::base::Status&) { done(); });
    });
  }

  void RoundTrip() {
    Ask([&](const std::function<void()>& done) { sandboxes_[0]->KillAll(done); });
  }

  const std::string& folder() const { return folder_; }
  Sandbox& first() { return *sandboxes_[0]; }

 private:
  void Ask(const std::function<void(std::function<void()>)>& ask) {
    bool done = false;
    ask([&] { done = true; });
    io_.restart();
    while (!done) {
      io_.run_one();
    }
  }

  std::string folder_;
  boost::asio::io_context io_;
  std::vector<std::unique_ptr<Sandbox>> sandboxes_;
};

Command Direct(std::vector<std::string> argv) {
  return {.argv = std::move(argv), .env = {"PATH=/usr/bin:/bin"}, .workdir = "/"};
}

void Spawns(std::uint32_t slots) {
  constexpr int kCount = 1000;
  const bench::driver::Shape shape{.width = kCount};
  Keepers keepers(slots);
  std::vector<double> bare;
  std::vector<double> kept;
  for (int i = 0; i < kRepetitions; ++i) {
    bare.push_back(
        Seconds([&] { bench::driver::BareSpawn(shape, "/bin/true", static_cast<int>(slots)); }));
    kept.push_back(Seconds([&] { keepers.Run(Direct({"/bin/true"}), kCount); }));
  }
  std::printf("%u in flight: bare %.0f a second, keepers %.0f a second, ratio %.2f\n", slots,
              kCount / Median(bare), kCount / Median(kept), Median(kept) / Median(bare));
}

void RoundTrips() {
  constexpr int kCount = 10000;
  Keepers keepers(1);
  keepers.Prepare("");
  const double kill = Seconds([&] {
    for (int i = 0; i < kCount; ++i) {
      keepers.RoundTrip();
    }
  });
  const double prepare = Seconds([&] {
    for (int i = 0; i < kCount; ++i) {
      keepers.Prepare("");
    }
  });
  std::printf("round trip %.1f us, with an untouched workspace (%s) %.1f us\n", kill / kCount * 1e6,
              keepers.first().facts().workspace_kind.c_str(), prepare / kCount * 1e6);
}

void DirtyWorkspaces() {
  constexpr int kCount = 100;
  Keepers keepers(1);
  keepers.Prepare("");
  auto command = Direct({"/bin/touch", "dirt"});
  command.workdir = keepers.first().facts().workspace_path;
  std::vector<double> times;
  for (int i = 0; i < kCount; ++i) {
    keepers.Run(command, 1);
    times.push_back(Seconds([&] { keepers.Prepare(""); }));
  }
  std::printf("a fresh workspace after a dirty one: %.2f ms\n", Median(times) * 1e3);
}

/// Peak resident memory of a process so far, in MiB.
double PeakMiB(const std::string& pid) {
  std::ifstream status("/proc/" + pid + "/status");
  std::string word;
  while (status >> word) {
    if (word == "VmHWM:") {
      double kib = 0;
      status >> kib;
      return kib / 1024;
    }
  }
  return 0;
}

void BigLog() {
  const std::string script = "seq 1 23456789";
  std::vector<double> cat;
  std::vector<double> kept;
  double peak = 0;
  for (int i = 0; i < kRepetitions; ++i) {
    Keepers keepers(1);
    keepers.Prepare("");
    const auto file = keepers.folder() + "/cat";
    const auto piped = "(" + script + ") | cat > " + file;
    cat.push_back(Seconds([&] {
      if (std::system(piped.c_str()) != 0) {
        std::exit(1);
      }
    }));
    std::filesystem::remove(file);
    kept.push_back(Seconds([&] { keepers.Run(Direct({"/bin/sh", "-c", script}), 1); }));
    const auto view = keepers.first().facts().workspace_view;
    peak = std::max(peak, PeakMiB(view.substr(6, view.find('/', 6) - 6)));
  }
  std::printf(
      "200 MB of log: cat %.3f s, keeper %.3f s (durable), ratio %.2f, keeper's peak %.1f MiB\n",
      Median(cat), Median(kept), Median(kept) / Median(cat), peak);
}

}  // namespace

int main(int argc, char** argv) {
  if (executors::sandboxes::IsKeeperCall(argc, argv)) {
    return executors::sandboxes::KeeperMain(argc, argv);
  }
  const std::string part = argc > 1 ? argv[1] : "all";
  const auto wanted = [&](const char* name) { return part == "all" || part == name; };
  if (wanted("start")) {
    const double started = Seconds([] { Keepers keepers(1); });
    std::printf("a keeper started and let go: %.1f ms\n", started * 1e3);
  }
  if (wanted("spawn")) {
    Spawns(1);
    Spawns(2);
  }
  if (wanted("workspace")) {
    RoundTrips();
    DirtyWorkspaces();
  }
  if (wanted("log")) {
    BigLog();
  }
  return 0;
}
