// SPDX-License-Identifier: Apache-2.0
// The real server starts agents as they are needed, sends them home, gives what a killed one ran to
// another; jobs wait for their pool and say so; a drained worker finishes what it has.
#include <csignal>
#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "api/client/connection.h"
#include "api/client/worker_client.h"
#include "tests/server/real_server.h"

namespace tests::server {
namespace {

using support::DayflyProcess;
using testing::HasSubstr;

std::string OneJob(const std::string& name, const std::string& keys, const std::string& step) {
  return fmt::format("name: {0}\njobs:\n  {0}:\n    checkout: false\n{1}    steps:\n      - {2}\n",
                     name, keys, step);
}

class Pools : public RealServer {
 protected:
  void Serve(const std::string& pool) {
    Set("  default: ", pool);
    StartServer();
    api::client::Target target;
    target.servers = {"unix:" + File("srv/api.sock")};
    connection_ = std::make_unique<api::client::Connection>(std::move(target));
    client_ = std::make_unique<api::client::WorkerClient>(*connection_);
  }
  dayfly::v1::PoolSummary Pool() {
    const auto pools = client_->Pools();
    EXPECT_TRUE(pools.ok()) << pools.status() << Errors();
    return pools.ok() && !pools->empty() ? pools->front() : dayfly::v1::PoolSummary();
  }
  /// Asks until it is so: each answer comes of what is durable.
  void Await(const std::function<bool(const dayfly::v1::PoolSummary&)>& so) {
    while (!HasFailure() && !so(Pool())) {
    }
  }
  void AwaitWorkers(std::uint32_t count) {
    Await([count](const auto& pool) {
      return pool.workers() == count && pool.workers_coming() == 0;
    });
  }
  /// Of workers that the server started and whose end is not noted.
  std::size_t Folders() const {
    const std::filesystem::directory_iterator all(File("srv/workers/default"));
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }
  /// In the spools of these workers.
  std::uint64_t SpooledBytes() const {
    std::uint64_t bytes = 0;
    for (const auto& launch : std::filesystem::directory_iterator(File("srv/workers/default"))) {
      for (const auto& file : std::filesystem::directory_iterator(launch.path() / "agent/logs")) {
        bytes += file.path().extension() == ".seg" ? file.file_size() : 0;
      }
    }
    return bytes;
  }
  static std::string Printed() {
    std::string all;
    for (int i = 1; i <= 20000; ++i) {
      all += std::to_string(i) + "\n";
    }
    return all;
  }
  std::string Printing() const { return "seq 1 20000; " + HeldStep("printed"); }
  /// Once all that its step printed is in its spool.
  void KillOnlyAgent() const {
    while (SpooledBytes() < Printed().size()) {
    }
    ASSERT_EQ(Launched().size(), 1U);
    kill(Launched().front(), SIGKILL);
  }
  void ExpectLogsOfBothAttempts() {
    Await([this](const auto&) { return Folders() <= 1; });
    const std::string text = Run({"logs", "latest", "--raw"}).text;
    EXPECT_TRUE(text == Printed() + Printed()) << text.size() << " bytes" << Errors();
  }
  std::string OnlyWorker() const {
    const auto listed = Run({"workers", "--format", "json"});
    EXPECT_EQ(listed.lines.size(), 1U) << listed.text;
    return listed.lines.empty() ? "" : listed.lines[0].at("worker").get<std::string>();
  }

  std::unique_ptr<api::client::Connection> connection_;
  std::unique_ptr<api::client::WorkerClient> client_;
};

TEST_F(Pools, GrowWithTheWorkAndReachZero) {
  Serve("{ max: 2, slots: 1, idle: 1ms }");
  EXPECT_EQ(Pool().workers(), 0U);
  const auto submitted = Submit(OneJob("held", "", HeldStep()));
  AwaitBegin();
  EXPECT_EQ(Pool().workers(), 1U);
  EXPECT_EQ(Pool().attempts(), 1U);
  EXPECT_EQ(Launched().size(), 1U) << "a busy worker is not sent home, however short `idle` is";
  LetGoOn();
  ExpectSuccess(*submitted);
  AwaitWorkers(0);
  EXPECT_TRUE(Launched().empty());
  // Nothing of it stays, once its end is noted.
  Await([this](const auto&) { return std::filesystem::is_empty(File("srv/workers/default")); });
}

TEST_F(Pools, GiveWhatAKilledWorkerRanToAnother) {
  Serve("{ max: 1, slots: 1 }");
  const auto submitted = Submit(OneJob("held", "", HeldStep()));
  AwaitBegin();
  ASSERT_EQ(Launched().size(), 1U);
  kill(Launched().front(), SIGKILL);
  AwaitBegin();
  LetGoOn();
  EXPECT_THAT(submitted->ReadRest(), HasSubstr("worker lost: killed by signal 9"));
  ExpectSuccess(*submitted);
}

// No server was there to take them, nor to hear that the second step began: no fact names its log.
TEST_F(Pools, LogsThatAKilledWorkerHadNotSentAreBrought) {
  Serve("{ max: 1, slots: 1 }");
  const auto submitted = Submit(OneJob("held", "", HeldStep() + "\n      - " + Printing()));
  AwaitBegin();
  server_->Kill();
  LetGoOn();
  AwaitBegin("printed");
  KillOnlyAgent();
  StartServer();
  AwaitBegin();
  LetGoOn();
  AwaitBegin("printed");
  LetGoOn("printed");
  ExpectSuccess(*submitted);
  ExpectLogsOfBothAttempts();
}

TEST_F(Pools, TheRestOfALogOfWhichSomeWasSentIsBrought) {
  Serve("{ max: 1, slots: 1 }");
  const auto submitted = Submit(OneJob("held", "", Printing()));
  AwaitBegin("printed");
  KillOnlyAgent();
  AwaitBegin("printed");
  LetGoOn("printed");
  ExpectSuccess(*submitted);
  ExpectLogsOfBothAttempts();
}

TEST_F(Pools, AreScaledOncePerRequest) {
  Serve("{ max: 2, slots: 1, idle: 1ms }");
  EXPECT_EQ(client_->Scale("default", 1, "first").value_or(9), 0U);
  AwaitWorkers(1);
  EXPECT_EQ(client_->Scale("default", 0, "second").value_or(9), 1U);
  EXPECT_EQ(client_->Scale("default", 1, "first").value_or(9), 0U) << "said again, late";
  EXPECT_EQ(Pool().workers_wanted(), 0U);
  EXPECT_EQ(client_->Scale("default", 2, "first").status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(client_->Scale("default", 3, "third").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client_->Scale("none", 1, "fourth").status().code(), absl::StatusCode::kNotFound);
  AwaitWorkers(0);
}

TEST_F(Pools, OfADeadServerAreTakenUpByTheNext) {
  Serve("{ max: 1, slots: 1, idle: 1ms }");
  const auto submitted = Submit(OneJob("held", "", HeldStep()));
  AwaitBegin();
  const std::vector<pid_t> before = Launched();
  RestartServer();
  EXPECT_EQ(Launched(), before);
  LetGoOn();
  ExpectSuccess(*submitted);
  AwaitWorkers(0);
}

// With `listen: 127.0.0.1:0` the agents that live know an address that nobody has any more.
TEST_F(Pools, AWorkerThatCannotComeBackIsEndedAndReplaced) {
  std::set<std::string> known;
  // To a port where none of the servers before it was, or the worker would come back.
  const auto move = [&](const std::string& pool) {
    known.insert(address_);
    do {
      server_->Kill();
      Set("listen: ", "127.0.0.1:0");
      Set("  default: ", pool);
      StartServer();
    } while (!HasFatalFailure() && known.contains(address_));
  };
  Serve("{ max: 1, slots: 1, return: 1h }");
  ExpectSuccess(*Submit(OneJob("first", "", "'true'")));
  const std::vector<pid_t> before = Launched();
  move("{ max: 1, slots: 1, return: 1h }");
  const auto second = Submit(OneJob("second", "", "'true'"));
  for (std::string line; line.find("nothing was heard of it") == std::string::npos;) {
    ASSERT_TRUE(second->ReadLine(line)) << Errors();
  }
  Await([](const auto& pool) { return !pool.outlook().empty(); });
  EXPECT_THAT(Run({"explain", "latest"}).text,
              AllOf(HasSubstr("no worker is connected; nothing is heard of worker default-"),
                    HasSubstr("it is ended and replaced")));
  EXPECT_EQ(Launched(), before);
  move("{ max: 1, slots: 1, return: 1s }");
  ExpectSuccess(*second);
  Await([&](const auto&) { return Launched().size() == 1 && Launched() != before; });
}

TEST_F(Pools, AJobWaitsForAWorkerOfItsPool) {
  Set("#  large: {}", "\n  large: {}");
  Serve("{}");
  const auto other = Agent(Token("default"), "other");
  const auto submitted = Submit(OneJob("big", "    pool: large\n", "'true'"));
  std::string line;
  ASSERT_TRUE(submitted->ReadLine(line)) << Errors();
  EXPECT_THAT(Run({"explain", "latest"}).text,
              HasSubstr("waits for pool large: no worker is connected"));
  const auto agent = Agent(Token("large"));
  ExpectSuccess(*submitted);
}

TEST_F(Pools, ThatNobodyHasAreRefused) {
  Serve("{}");
  const auto submitted = Submit(OneJob("big", "    pool: lage\n", "'true'"));
  EXPECT_EQ(submitted->Wait(), 2);
  EXPECT_THAT(TextOf(File("submit.errors")), HasSubstr("no pool 'lage'"));
}

TEST_F(Pools, ADrainedWorkerFinishesWhatItHasAndLeaves) {
  Serve("{}");
  const auto agent = Agent(Token());
  const auto submitted = Submit(OneJob("held", "", HeldStep()));
  AwaitBegin();
  const std::string worker = OnlyWorker();
  EXPECT_EQ(Run({"workers", "drain", worker}).exit_code, 0);
  EXPECT_THAT(Run({"workers"}).text, HasSubstr("draining"));
  const auto next = Submit(OneJob("next", "", "'true'"));
  std::string line;
  ASSERT_TRUE(next->ReadLine(line)) << Errors();
  EXPECT_THAT(Run({"explain", "latest"}).text, HasSubstr("every worker of it is leaving"));
  LetGoOn();
  ExpectSuccess(*submitted);
  EXPECT_EQ(agent->Wait(), 0) << Errors();
  const auto second = Agent(Token(), "second");
  ExpectSuccess(*next);
}

TEST_F(Pools, AnIdleWorkerThatIsToldToEndLeavesAtOnce) {
  Serve("{}");
  const auto agent = Agent(Token());
  AwaitWorkers(1);
  kill(agent->pid(), SIGTERM);
  EXPECT_EQ(agent->Wait(), 0) << Errors();
}

}  // namespace
}  // namespace tests::server
