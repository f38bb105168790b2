// SPDX-License-Identifier: Apache-2.0
// A worker that the server started is killed, or falls silent, in the middle of a step; another of
// its pool begins the job anew.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/types.h>
#include <thread>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "api/client/run_client.h"
#include "api/client/worker_client.h"
#include "bench/server/benches.h"
#include "bench/server/figures.h"
#include "bench/server/runs.h"
#include "engine/base/check.h"

namespace bench::server {
namespace {

namespace model = engine::model;

/// Two workers of one slot each, kept by the server.
class Pool {
 public:
  explicit Pool(const Options& options)
      : site_(options.store, "default: { min: 2, max: 3, slots: 1, idle: 1h }"),
        connection_(site_.Connect()) {}
  ~Pool() {
    // Agents go on without their server.
    for (const pid_t agent : Agents()) {
      kill(agent, SIGCONT);
      kill(agent, SIGTERM);
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Seconds from `signal` to the agent until another worker has begun what it ran. The agent is
  /// dead after that.
  double Lose(int signal) {
    AwaitIdleWorkers();
    const model::RunId run = Submit(connection_, pipeline());
    const pid_t agent = AwaitAgent();
    const auto lost = std::chrono::system_clock::now();
    CHECK(kill(agent, signal) == 0);
    const auto again = AwaitFact(connection_, run, [](const model::Fact& fact) {
      const auto* started = std::get_if<model::AttemptStarted>(&fact.body);
      return started != nullptr && started->key.attempt > 1;
    });
    kill(agent, SIGKILL);
    for (int times = 0; times < 2; ++times) {  // the second one kills
      api::client::RunClient(connection_).Cancel(model::ToText(run), true).status().IgnoreError();
    }
    CHECK(!AwaitEnd(connection_, run));
    std::filesystem::remove(site_.File("agent.pid"));
    return std::chrono::duration<double>(again.time_since_epoch() - lost.time_since_epoch())
        .count();
  }

 private:
  /// A step's parent is its keeper, whose parent is the agent.
  std::string pipeline() const {
    return fmt::format(
        "name: loss\njobs:\n  j:\n    checkout: false\n    steps:\n      - run: |\n"
        "          read -r _ _ _ agent _ < /proc/$PPID/stat\n"
        "          echo $agent > {0}.new; mv {0}.new {0}; exec sleep 600\n",
        site_.File("agent.pid"));
  }

  pid_t AwaitAgent() const {
    for (;;) {
      pid_t agent = 0;
      if (std::ifstream(site_.File("agent.pid")) >> agent) {
        return agent;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void AwaitIdleWorkers() {
    for (;;) {
      const auto pools = api::client::WorkerClient(connection_).Pools();
      CHECK_MSG(pools.ok(), pools.status().ToString().c_str());
      if (pools->front().workers() >= 2 && pools->front().attempts() == 0) {
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  std::vector<pid_t> Agents() const {
    std::vector<pid_t> agents;
    std::error_code none;
    for (const auto& launch :
         std::filesystem::directory_iterator(site_.File("srv/workers/default"), none)) {
      pid_t agent = 0;
      if (!std::filesystem::exists(launch.path() / "ended") &&
          std::ifstream(launch.path() / "agent/lock") >> agent) {
        agents.push_back(agent);
      }
    }
    return agents;
  }

  Site site_;
  api::client::Connection connection_;
};

void Measure(Pool& pool, const std::string& how, int signal, int times) {
  std::vector<double> took;
  for (int i = 0; i < times; ++i) {
    took.push_back(pool.Lose(signal));
  }
  fmt::print(
      "a worker {} until another began its job, {} times: p50 {:.3f} s, p95 {:.3f} s,"
      " longest {:.3f} s\n",
      how, times, Quantile(took, 0.5), Quantile(took, 0.95), Quantile(took, 1));
}

}  // namespace

void BenchLoss(const Options& options) {
  Pool pool(options);
  Measure(pool, "was killed", SIGKILL, options.quick ? 3 : 20);
  Measure(pool, "fell silent (SIGSTOP)", SIGSTOP, options.quick ? 1 : 5);
}

}  // namespace bench::server
