// SPDX-License-Identifier: Apache-2.0
#include "tests/recovery/kills.h"

#include <array>
#include <csignal>
#include <iostream>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/base/random.h"
#include "tests/recovery/history.h"
#include "tests/recovery/load.h"
#include "tests/recovery/recorded.h"
#include "tests/recovery/site.h"

namespace tests::recovery {
namespace {

constexpr int kServers = 2;
constexpr std::array kAgents = {"x", "y"};
constexpr int kSlots = 2;

class Scene {
 public:
  Scene() {
    for (const char* agent : kAgents) {
      site_.StartAgent(agent, kSlots);
    }
    site_.AwaitWorkers(kAgents.size());
    load_.emplace(LoadOptions{.target = site_.Target(), .marks = marks_});
  }

  Site& site() { return site_; }
  Load& load() { return *load_; }

  /// Ends the load and the servers, and judges.
  KillsOutcome Finish() {
    load_->Finish();
    KillsOutcome out;
    out.findings = load_->troubles();
    for (int i = 0; i < kServers; ++i) {
      if (const int code = site_.StopServer(i); code != 0) {
        out.findings.push_back(fmt::format("server {} left with {}", i, code));
      }
    }
    History history = ReadHistory(site_, marks_);
    history.submitted = load_->submitted();
    for (std::string& finding : Judge(history)) {
      out.findings.push_back(std::move(finding));
    }
    if (!out.findings.empty()) {
      out.findings.push_back(site_.Errors());
    }
    out.runs = history.submitted.size();
    for (const LogRow& row : history.log) {
      out.facts += row.facts.size();
      for (const model::Fact& fact : row.facts) {
        const auto* ended = std::get_if<model::AttemptEnded>(&fact.body);
        out.attempts_lost += ended != nullptr && ended->infra ? 1 : 0;
      }
    }
    return out;
  }

 private:
  Site site_{kServers};
  std::string marks_ = site_.File("marks");
  std::optional<Load> load_;
};

/// One draw of what to kill; what was killed is started again by `Mend`.
class Killer {
 public:
  Killer(Scene& scene, std::uint64_t seed) : scene_(scene), random_(seed) {}

  std::uint64_t DrawMoment() { return random_.Below(25); }

  /// What it killed; empty when there was no such thing just now.
  std::string KillSomething() {
    const std::uint64_t draw = random_.Below(10);
    if (draw < 3) {
      return KillServer(static_cast<int>(random_.Below(kServers)));
    }
    if (draw < 6) {
      return KillAgent(kAgents.at(random_.Below(kAgents.size())));
    }
    return draw < 8 ? KillKeeper() : KillPostgres();
  }
  bool DrawsAnother() { return random_.OneIn(1, 4); }

  void Mend() {
    if (std::exchange(postgres_, false)) {
      scene_.site().postgres().Start();
    }
    for (const int server : std::exchange(servers_, {})) {
      scene_.site().StartServer(server);
    }
    for (const std::string& agent : std::exchange(agents_, {})) {
      scene_.site().RestartAgent(agent, kSlots);
    }
  }

 private:
  std::string KillServer(int server) {
    if (!servers_.insert(server).second) {
      return "";
    }
    scene_.site().KillServer(server);
    return "server";
  }
  std::string KillAgent(const std::string& agent) {
    if (!agents_.insert(agent).second) {
      return "";
    }
    scene_.site().KillAgent(agent);
    return "agent";
  }
  std::string KillPostgres() {
    if (std::exchange(postgres_, true)) {
      return "";
    }
    scene_.site().postgres().Kill();
    return "postgres";
  }
  std::string KillKeeper() {
    const std::vector<pid_t> keepers = scene_.site().Keepers();
    if (keepers.empty()) {
      return "";
    }
    kill(keepers.at(random_.Below(keepers.size())), SIGKILL);
    return "keeper";
  }

  Scene& scene_;
  engine::base::Random random_;
  bool postgres_ = false;
  std::set<int> servers_;
  std::set<std::string> agents_;
};

}  // namespace

KillsOutcome RunKills(const KillsOptions& options) {
  Scene scene;
  Killer killer(scene, options.seed);
  std::map<std::string, int> killed;
  int kills = 0;
  bool alive = true;
  while (alive && kills < options.kills) {
    alive = scene.load().AwaitFacts(1 + killer.DrawMoment());
    do {
      const std::string what = killer.KillSomething();
      if (!what.empty()) {
        ++kills;
        ++killed[what];
        if (options.print) {
          std::cout << fmt::format("kill {}: {}\n", kills, what) << std::flush;
        }
      }
    } while (killer.DrawsAnother() && kills < options.kills);
    killer.Mend();
  }
  KillsOutcome out = scene.Finish();
  out.killed = std::move(killed);
  return out;
}

KillsOutcome RunRollingRestarts(int rounds) {
  constexpr std::uint64_t kFactsBetween = 20;
  Scene scene;
  std::vector<std::string> findings;
  bool alive = true;
  for (int i = 0; alive && i < rounds * kServers; ++i) {
    alive = scene.load().AwaitFacts(kFactsBetween);
    if (const int code = scene.site().StopServer(i % kServers); code != 0) {
      findings.push_back(fmt::format("server {} left with {}", i % kServers, code));
    }
    scene.site().StartServer(i % kServers);
  }
  KillsOutcome out = scene.Finish();
  out.findings.insert(out.findings.begin(), findings.begin(), findings.end());
  return out;
}

}  // namespace tests::recovery
