// SPDX-License-Identifier: Apache-2.0
// Logs from a step on an agent to people at a server, with the real program on all sides: each byte
// once and in order, whoever dies in between.
#include <csignal>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include "api/client/connection.h"
#include "api/client/log_client.h"
#include "api/wire/logs.grpc.pb.h"
#include "executors/sandboxes/leftovers.h"
#include "tests/server/real_server.h"

namespace tests::server {
namespace {

namespace model = engine::model;
using support::DayflyProcess;
using testing::HasSubstr;

/// What `seq FROM TO` prints.
std::string Numbers(int from, int to) {
  std::string text;
  for (int i = from; i <= to; ++i) {
    text += std::to_string(i) + "\n";
  }
  return text;
}

class ServerLogsProcess : public RealServer {
 protected:
  void SetUp() override {
    RealServer::SetUp();
    Set("  default: ", "{}");
    StartServer();
  }
  void StartAgent(const std::string& token) { agent_ = Agent(token); }
  /// A job whose step prints numbers, says that it did, waits to be let go on, and prints the rest.
  std::string HeldPrinter(int half) const {
    return fmt::format(
        "name: held\njobs:\n  held:\n    checkout: false\n    steps:\n"
        "      - run: seq 1 {1}; {0}; seq $(({1} + 1)) $((2 * {1}))\n",
        HeldStep(), half);
  }
  std::unique_ptr<DayflyProcess> Follow(const std::string& run, const std::string& name) const {
    return std::make_unique<DayflyProcess>(Launch({"logs", run, "-f", "--raw"}, name));
  }
  std::string Logs(std::vector<std::string> more) const {
    more.insert(more.begin(), "logs");
    more.emplace_back("--raw");
    const support::Ended ended = Run(more);
    EXPECT_EQ(ended.exit_code, 0) << Errors();
    return ended.text;
  }
  void ExpectEnds(DayflyProcess& reader, const std::string& name) const {
    EXPECT_EQ(reader.Wait(), 0) << name << Errors();
  }

  std::unique_ptr<DayflyProcess> agent_;
};

TEST_F(ServerLogsProcess, HistoryAndThenWhatComesReachEveryReaderOnce) {
  StartAgent(Token());
  const std::string run = SubmitOnly(HeldPrinter(2));
  AwaitBegin();
  const auto early = Follow(run, "early");
  std::string line;
  ASSERT_TRUE(early->ReadLine(line)) << TextOf(File("early.errors")) << Errors();
  EXPECT_EQ(line, "1");
  const auto later = Follow(run, "later");
  ASSERT_TRUE(later->ReadLine(line));
  LetGoOn();
  for (const auto& [reader, name] : {std::pair(early.get(), "early"), {later.get(), "later"}}) {
    EXPECT_EQ(reader->ReadRest(), "2\n3\n4\n");
    ExpectEnds(*reader, name);
  }
  EXPECT_EQ(Logs({run}), "1\n2\n3\n4\n");
  EXPECT_EQ(Logs({run, "held", "1", "--tail", "1"}), "4\n");
  EXPECT_THAT(Run({"logs", run}).text, HasSubstr(" | 4\n"));
}

TEST_F(ServerLogsProcess, AnAgentKilledInAStepLosesNothingOfItsLog) {
  StartAgent(Token());
  const std::string run = SubmitOnly(HeldPrinter(20'000));
  AwaitBegin();
  agent_->Kill();
  const auto reader = Follow(run, "reader");
  StartAgent("");
  LetGoOn();
  EXPECT_EQ(reader->ReadRest(), Numbers(1, 40'000));
  ExpectEnds(*reader, "reader");
}

TEST_F(ServerLogsProcess, WhatRunsBesideTheStepsSurvivesItsAgentWithItsLog) {
  StartAgent(Token());
  const std::string run = SubmitOnly(fmt::format(
      R"(
name: beside
jobs:
  held:
    checkout: false
    services:
      web: {{ run: "echo serving; exec sleep 1000", ready: {{ log: "^serving$" }} }}
    steps:
      - {{ id: beside, background: true, run: "echo beside; touch up; exec sleep 1000" }}
      - id: front
        run: while ! [ -e up ]; do sleep 0.01; done; {}; echo front
)",
      HeldStep()));
  AwaitBegin();
  agent_->Kill();
  const auto reader = Follow(run, "reader");
  StartAgent("");
  LetGoOn();
  reader->ReadRest();
  ExpectEnds(*reader, "reader");
  EXPECT_EQ(Logs({run, "held", "web"}), "serving\n");
  EXPECT_EQ(Logs({run, "held", "beside"}), "beside\n");
  EXPECT_EQ(Logs({run, "held", "front"}), "front\n");
  EXPECT_EQ(
      Run({"logs", run, "held", "web", "--format", "json"}).text,
      R"({"at":null,"job":"held","attempt":1,"step":"web","offset":0,"continued":false,"text":"serving"})"
      "\n");
  const std::string shown = Run({"show", run}).text;
  EXPECT_THAT(shown, HasSubstr("succeeded"));
  EXPECT_THAT(shown, HasSubstr("web"));
}

TEST_F(ServerLogsProcess, ALongLineComesInPiecesAsJson) {
  StartAgent(Token());
  const std::string run = SubmitOnly(
      "name: long\njobs:\n  a:\n    checkout: false\n"
      "    steps: ['printf x; for i in $(seq 30000); do printf €; done; echo; echo end']\n");
  const support::Lines lines = Run({"logs", run, "a", "-f", "--format", "json"}).lines;
  ASSERT_EQ(lines.size(), 3U);
  std::string joined;
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(lines[i]["continued"], i == 1);
    EXPECT_EQ(lines[i]["offset"], joined.size());
    joined += lines[i]["text"].get<std::string>();
  }
  EXPECT_EQ(joined.size(), 90'001U);
  EXPECT_THAT(joined, Not(HasSubstr("\xEF\xBF\xBD")));
  EXPECT_EQ(lines[2]["text"], "end");
  EXPECT_EQ(lines[2]["continued"], false);
}

TEST_F(ServerLogsProcess, AServerKilledInALogGoesOnWithIt) {
  StartAgent(Token());
  const std::string run = SubmitOnly(HeldPrinter(20'000));
  AwaitBegin();
  const auto reader = Follow(run, "reader");
  std::string line;
  ASSERT_TRUE(reader->ReadLine(line));
  RestartServer();
  LetGoOn();
  EXPECT_EQ(reader->ReadRest(), Numbers(2, 40'000));
  ExpectEnds(*reader, "reader");
  RestartServer();
  EXPECT_EQ(Logs({run}), Numbers(1, 40'000));
}

// The next server knows nothing of an attempt that had ended, until it has looked it up.
TEST_F(ServerLogsProcess, ALogThatComesLateFindsItsRunAgain) {
  StartAgent(Token());
  ExpectSuccess(*Submit("name: x\njobs: { j: { checkout: false, steps: ['seq 1 1000'] } }\n"));
  RestartServer();
  kill(agent_->pid(), SIGTERM);
  EXPECT_EQ(agent_->Wait(), 0) << Errors();
  EXPECT_EQ(Logs({"latest"}), Numbers(1, 1000));
}

TEST_F(ServerLogsProcess, TheLogOfAWipedWorkerSaysWhatIsMissing) {
  StartAgent(Token());
  const std::string run = SubmitOnly(HeldPrinter(2));
  AwaitBegin();
  std::string line;
  {
    const auto reader = Follow(run, "reader");
    ASSERT_TRUE(reader->ReadLine(line));
  }
  agent_->Kill();
  ASSERT_TRUE(executors::sandboxes::ReapLeftovers(File("agent")).ok());
  std::filesystem::remove_all(File("agent"));
  const auto second = Agent(Token(), "second");
  AwaitBegin();
  LetGoOn();
  const support::Ended all = support::RunDayfly(Launch({"logs", run, "-f", "--raw"}, "all"));
  EXPECT_EQ(all.text, "1\n2\n1\n2\n3\n4\n") << TextOf(File("second.errors"));
  EXPECT_EQ(all.exit_code, 3);
  EXPECT_THAT(TextOf(File("all.errors")), HasSubstr("the log of held, step"));
  EXPECT_THAT(TextOf(File("all.errors")), HasSubstr("behind byte 4"));
}

TEST_F(ServerLogsProcess, AMillionBytesInOneLineArrive) {
  StartAgent(Token());
  ExpectSuccess(
      *Submit("name: x\njobs: { j: { checkout: false, steps: [\"head -c 1000000 "
              "/dev/zero | tr '\\\\0' x; echo\"] } }\n"));
  EXPECT_TRUE(Logs({"latest"}) == std::string(1'000'000, 'x') + "\n");
}

TEST_F(ServerLogsProcess, WhatAStepMasksNobodyReads) {
  StartAgent(Token());
  ExpectSuccess(
      *Submit("name: x\njobs: { j: { checkout: false, steps: ['echo hush-hush >> "
              "\"$DAYFLY_MASK\"', 'echo it is hush-hush now'] } }\n"));
  EXPECT_EQ(Logs({"latest"}), "it is *** now\n");
}

TEST_F(ServerLogsProcess, WatchingShowsWhatStepsPrint) {
  StartAgent(Token());
  const auto submitted =
      Submit("name: x\njobs: { j: { checkout: false, steps: ['echo it broke; false'] } }\n");
  EXPECT_THAT(submitted->ReadRest(), HasSubstr("j | it broke\n"));
  EXPECT_EQ(submitted->Wait(), 1);
}

constexpr int kWriters = 50;
constexpr int kLines = 2'000;

/// Of a run, everything.
class Everything {
 public:
  explicit Everything(const std::string& socket) {
    api::client::Target target;
    target.servers = {"unix:" + socket};
    connection_ = std::make_unique<api::client::Connection>(std::move(target));
  }
  std::map<std::uint32_t, std::string> Read(const std::string& run) {
    std::map<std::uint32_t, std::string> texts;
    api::client::LogQuery query;
    query.run = *model::RunIdFromText(run);
    query.follow = true;
    api::client::LogHandlers handlers;
    handlers.bytes = [&](const api::client::LogPiece& piece) {
      std::string& text = texts[piece.attempt.job.value()];
      EXPECT_EQ(piece.offset, text.size());
      text += piece.bytes;
    };
    handlers.missing = [](const auto&, auto, std::string_view text) { ADD_FAILURE() << text; };
    const auto read = api::client::LogClient(*connection_).Read(query, handlers);
    EXPECT_TRUE(read.ok()) << read;
    return texts;
  }

 private:
  std::unique_ptr<api::client::Connection> connection_;
};

TEST_F(ServerLogsProcess, FiftyWritersArriveInOrderWhileOneReaderSleeps) {
  agent_ = Agent(Token(), "agent", "8");
  std::string cells;
  for (int i = 0; i < kWriters; ++i) {
    cells += fmt::format("{}{}", i == 0 ? "" : ", ", i);
  }
  const std::string run = SubmitOnly(
      fmt::format("name: many\njobs:\n  w:\n    checkout: false\n    matrix: {{ n: [{}] }}\n"
                  "    steps: ['seq ${{{{ matrix.n }}}}000 $((${{{{ matrix.n }}}}000 + {}))']\n",
                  cells, kLines - 1));
  // Asks for everything and takes nothing.
  const auto channel =
      grpc::CreateChannel("unix:" + File("srv/api.sock"), grpc::InsecureChannelCredentials());
  grpc::ClientContext context;
  dayfly::v1::ReadLogsRequest request;
  request.set_run(run);
  request.set_follow(true);
  const auto sleeper = dayfly::v1::Logs::NewStub(channel)->Read(&context, request);
  for (int reader = 0; reader < 2; ++reader) {
    const auto texts = Everything(File("srv/api.sock")).Read(run);
    EXPECT_EQ(texts.size(), static_cast<std::size_t>(kWriters)) << Errors();
    for (const auto& [job, text] : texts) {
      const int first = static_cast<int>(job) * 1000;
      EXPECT_TRUE(text == Numbers(first, first + kLines - 1)) << job;
    }
  }
  // Awake, it gets all there is, unless it slept for so long that it was sent away.
  std::uint64_t bytes = 0;
  for (dayfly::v1::ReadLogsResponse piece; sleeper->Read(&piece);) {
    bytes += piece.data().size();
  }
  const grpc::Status status = sleeper->Finish();
  std::uint64_t expected = 0;
  for (int i = 0; i < kWriters; ++i) {
    expected += Numbers(i * 1000, i * 1000 + kLines - 1).size();
  }
  EXPECT_TRUE(status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED ||
              (status.ok() && bytes == expected))
      << status.error_message() << ": " << bytes << " of " << expected;
}

}  // namespace
}  // namespace tests::server
