// SPDX-License-Identifier: Apache-2.0
#include "api/hub/agent_hub.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace api::hub {
namespace {

namespace base = engine::base;
namespace loop = engine::loop;
namespace model = engine::model;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

constexpr model::WorkerId kWorker{9};
constexpr std::uint64_t kLife = 4;
constexpr std::uint64_t kFirst = (kLife << 32) + 1;  // session

class FakeStream : public AgentStream {
 public:
  void Send(const model::ServerMessage& message) override { sent.push_back(message); }
  void Close(const base::Status& status) override { closed = status; }

  template <typename Message>
  std::vector<Message> All() const {
    std::vector<Message> found;
    for (const model::ServerMessage& message : sent) {
      if (const auto* body = std::get_if<Message>(&message)) {
        found.push_back(*body);
      }
    }
    return found;
  }
  std::vector<std::uint64_t> Orders() const {
    std::vector<std::uint64_t> numbers;
    for (const model::NumberedOrder& order : All<model::NumberedOrder>()) {
      numbers.push_back(order.seq);
    }
    return numbers;
  }
  std::uint64_t Acknowledged() const {
    const auto all = All<model::ReportsAcknowledged>();
    return all.empty() ? 0 : all.back().seq;
  }

  std::vector<model::ServerMessage> sent;
  std::optional<base::Status> closed;
};

// A hub whose engine is the test: inputs are kept until the test answers them.
class AgentHubTest : public testing::Test {
 protected:
  struct Taken {
    model::Input input;
    loop::Reply reply;
  };

  HubParts Parts() {
    return {.take =
                [this](model::Input input, loop::Reply reply) {
                  taken_.push_back({std::move(input), reply});
                },
            .touch = [this](model::WorkerId, model::SessionId session) { touched_ = session; },
            .stream_ended = [this](model::WorkerId, model::SessionId session) { ended_ = session; },
            .soon = [this](std::function<void()> what) { soon_.push_back(std::move(what)); },
            .watch = nullptr,
            .closed_of =
                [this](std::vector<model::RunId> runs, const HubParts::Closed& then) {
                  std::erase_if(runs, [this](model::RunId run) { return open_.contains(run); });
                  then(runs);
                }};
  }
  static model::AgentHello Hello(std::uint64_t session, model::OrderMark mark = {},
                                 std::uint64_t first_report = 1) {
    return {.session = model::SessionId(session),
            .slots = 2,
            .ahead_max = 1,
            .orders_received = mark,
            .report_life = 77,
            .first_report = first_report,
            .draining = false,
            .version = "1",
            .runs = {}};
  }
  std::shared_ptr<FakeStream> Connect(const model::AgentHello& hello) {
    auto stream = std::make_shared<FakeStream>();
    hub_.Connected(stream, {kWorker, "pool", "host"}, hello);
    return stream;
  }
  void Durable(model::FactBody body) {
    const model::Fact fact{.at = {}, .body = std::move(body)};
    hub_.OnDurable(1, {&fact, 1});
  }
  // Greets, begins session 1 and makes it durable.
  std::shared_ptr<FakeStream> Join() {
    auto stream = Connect(Hello(0));
    hub_.Received(*stream, kWorker, model::AgentBegin{model::SessionId(kFirst)});
    Answer();
    Durable(model::WorkerJoined{.worker = kWorker, .session = model::SessionId(kFirst)});
    return stream;
  }
  void Answer(std::vector<model::Refusal> refused = {}) {
    const Taken taken = taken_.front();
    taken_.pop_front();
    taken.reply({base::OkStatus(), std::move(refused)});
    for (const auto& what : std::exchange(soon_, {})) {
      what();
    }
  }
  void Report(FakeStream& stream, std::uint64_t seq) {
    hub_.Received(stream, kWorker, model::NumberedReport{seq, {}});
  }
  static model::Assignment Work(std::uint32_t job, std::uint64_t session = kFirst) {
    model::Assignment assignment;
    assignment.lease = {.key = {model::RunId(5), model::JobIndex(job), 1},
                        .worker = kWorker,
                        .session = model::SessionId(session)};
    return assignment;
  }

  static std::vector<model::RunId> Forgotten(const FakeStream& stream) {
    std::vector<model::RunId> runs;
    for (const auto& order : stream.All<model::NumberedOrder>()) {
      if (const auto* forget = std::get_if<model::ForgetRun>(&order.order)) {
        runs.push_back(forget->run);
      }
    }
    return runs;
  }

  std::deque<Taken> taken_;
  std::set<model::RunId> open_;  ///< as the engine knows them
  std::vector<std::function<void()>> soon_;
  model::SessionId touched_;
  model::SessionId ended_;
  AgentHub hub_{Parts(), {.order_life = kLife}};
};

// What it did before it was killed it may have forgotten.
TEST_F(AgentHubTest, AnAgentThatStartedAgainIsNotGivenWhatHasEnded) {
  auto stream = Join();
  hub_.Dispatch(Work(0));
  hub_.Dispatch(Work(1));
  hub_.Stop({.lease = Work(0).lease});
  model::AttemptEnded ended;
  ended.key = Work(0).lease.key;
  Durable(ended);
  hub_.Ended(*stream, kWorker);
  stream = Connect(Hello(kFirst));
  const auto orders = stream->All<model::NumberedOrder>();
  ASSERT_EQ(orders.size(), 1U);
  EXPECT_EQ(std::get<model::Assignment>(orders[0].order).lease, Work(1).lease);
  EXPECT_EQ(orders[0].seq, stream->All<model::ServerWelcome>()[0].first_order);
}

TEST_F(AgentHubTest, OffersANewSessionAndTellsTheEngineOnlyWhenItBegins) {
  model::AgentHello hello = Hello(0);
  hello.offer.labels = {{"disk", "ssd"}};
  const auto stream = Connect(hello);
  const auto welcome = stream->All<model::ServerWelcome>();
  ASSERT_EQ(welcome.size(), 1U);
  EXPECT_FALSE(welcome[0].resumed);
  EXPECT_EQ(welcome[0].session, model::SessionId(kFirst));
  EXPECT_TRUE(taken_.empty());
  hub_.Received(*stream, kWorker, model::AgentBegin{model::SessionId(kFirst)});
  ASSERT_EQ(taken_.size(), 1U);
  EXPECT_EQ(std::get<model::WorkerConnected>(taken_[0].input).pool, "pool");
  EXPECT_EQ(std::get<model::WorkerConnected>(taken_[0].input).offer, hello.offer);
}

TEST_F(AgentHubTest, RefusesABeginThatWasNotOffered) {
  const auto stream = Connect(Hello(0));
  hub_.Received(*stream, kWorker, model::AgentBegin{model::SessionId(8)});
  ASSERT_TRUE(stream->closed.has_value());
  EXPECT_EQ(stream->closed->code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(taken_.empty());
}

TEST_F(AgentHubTest, AcknowledgesAReportWhenTheEngineHasAnswered) {
  const auto stream = Join();
  Report(*stream, 1);
  Report(*stream, 2);
  EXPECT_EQ(stream->Acknowledged(), 0U);
  Answer();
  EXPECT_EQ(stream->Acknowledged(), 1U);
  Answer({{.code = model::RefusalCode::kStaleAttempt, .run = {}, .message = "no"}});
  EXPECT_EQ(stream->Acknowledged(), 2U);
  const auto refused = stream->All<model::ReportsAcknowledged>().back().refused;
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].verdict, model::ReportVerdict::kStale);
}

TEST_F(AgentHubTest, ReportsCarryTheLeaseOfTheStreamTheyCameOn) {
  const auto stream = Join();
  model::NumberedReport report{.seq = 1, .report = {}};
  report.report.lease.worker = model::WorkerId(1234);
  hub_.Received(*stream, kWorker, report);
  const auto& lease = std::get<model::AttemptReported>(taken_[0].input).lease;
  EXPECT_EQ(lease.worker, kWorker);
  EXPECT_EQ(lease.session, model::SessionId(kFirst));
}

TEST_F(AgentHubTest, AnAgentThatWantsToLeaveAsksTheEngineForItsSession) {
  const auto stream = Join();
  hub_.Received(*stream, kWorker, model::AgentDrainWanted{});
  ASSERT_EQ(taken_.size(), 1U);
  const auto& asked = std::get<model::DrainRequested>(taken_[0].input);
  EXPECT_EQ(asked.worker, kWorker);
  EXPECT_EQ(asked.session, model::SessionId(kFirst));
}

TEST_F(AgentHubTest, ADrainedSessionIsToldAgainWhenAProcessResumesItThatDoesNotKnow) {
  auto stream = Join();
  const auto drains = [&] {
    const auto orders = stream->All<model::NumberedOrder>();
    return std::ranges::count_if(orders, [](const model::NumberedOrder& each) {
      return std::holds_alternative<model::DrainAgent>(each.order);
    });
  };
  hub_.Drain({.worker = kWorker, .session = model::SessionId(kFirst), .stop_attempts = false});
  EXPECT_EQ(drains(), 1);
  EXPECT_TRUE(hub_.Workers().front().draining);
  hub_.Ended(*stream, kWorker);
  stream = Connect(Hello(kFirst, {.life = kLife, .seq = 1}));
  EXPECT_EQ(drains(), 1);
}

TEST_F(AgentHubTest, TakesAReportOnceAndStillAcknowledgesItAfterACut) {
  auto stream = Join();
  Report(*stream, 1);
  hub_.Ended(*stream, kWorker);
  EXPECT_EQ(ended_, model::SessionId(kFirst));
  stream = Connect(Hello(kFirst));
  EXPECT_TRUE(stream->All<model::ServerWelcome>()[0].resumed);
  EXPECT_EQ(stream->All<model::ServerWelcome>()[0].reports_received, 1U);
  Report(*stream, 1);
  EXPECT_EQ(taken_.size(), 1U);
  Answer();
  EXPECT_EQ(stream->Acknowledged(), 1U);
}

TEST_F(AgentHubTest, TellsAgainWhatWasAcknowledgedOnALostStream) {
  auto stream = Join();
  Report(*stream, 1);
  Answer();
  hub_.Ended(*stream, kWorker);
  stream = Connect(Hello(kFirst));
  EXPECT_EQ(stream->Acknowledged(), 1U);
}

TEST_F(AgentHubTest, KnowsNoNumbersOfAnotherLife) {
  hub_.Adopt({{kWorker, model::SessionId(3)}});
  const auto stream = Connect(Hello(3, {kLife - 1, 40}, 18));
  EXPECT_TRUE(stream->All<model::ServerWelcome>()[0].resumed);
  Report(*stream, 18);
  EXPECT_FALSE(stream->closed.has_value());
  Answer();
  EXPECT_EQ(stream->Acknowledged(), 18U);
}

TEST_F(AgentHubTest, SendsOrdersAgainUntilTheyAreInTheJournal) {
  auto stream = Join();
  hub_.Dispatch(Work(0));
  hub_.Dispatch(Work(1));
  EXPECT_EQ(stream->Orders(), (std::vector<std::uint64_t>{1, 2}));
  hub_.Ended(*stream, kWorker);
  hub_.Dispatch(Work(2));
  stream = Connect(Hello(kFirst, {kLife, 1}));
  EXPECT_EQ(stream->All<model::ServerWelcome>()[0].first_order, 2U);
  EXPECT_EQ(stream->Orders(), (std::vector<std::uint64_t>{2, 3}));
  hub_.Received(*stream, kWorker, model::AgentHeartbeat{{kLife, 3}, 0});
  EXPECT_EQ(hub_.Workers()[0].orders_held, 0U);
}

TEST_F(AgentHubTest, GivesNothingOfASessionThatIsOver) {
  const auto stream = Join();
  hub_.Dispatch(Work(0, 7));
  EXPECT_TRUE(stream->Orders().empty());
}

TEST_F(AgentHubTest, EndsTheStreamOfASessionThatTheEngineGaveUp) {
  auto stream = Join();
  Durable(model::WorkerLost{.worker = kWorker, .reason = {}});
  ASSERT_TRUE(stream->closed.has_value());
  EXPECT_EQ(stream->closed->code(), absl::StatusCode::kAborted);
  stream = Connect(Hello(kFirst));
  EXPECT_FALSE(stream->All<model::ServerWelcome>()[0].resumed);
  EXPECT_EQ(stream->All<model::ServerWelcome>()[0].session, model::SessionId(kFirst + 1));
}

TEST_F(AgentHubTest, AnAgentWithoutItsJournalStartsAnew) {
  auto stream = Join();
  hub_.Dispatch(Work(0));
  hub_.Ended(*stream, kWorker);
  stream = Connect(Hello(0));
  EXPECT_EQ(stream->All<model::ServerWelcome>()[0].session, model::SessionId(kFirst + 1));
  EXPECT_TRUE(stream->Orders().empty());
  hub_.Received(*stream, kWorker, model::AgentBegin{model::SessionId(kFirst + 1)});
  Durable(model::WorkerLost{.worker = kWorker, .reason = {}});
  Durable(model::WorkerJoined{.worker = kWorker, .session = model::SessionId(kFirst + 1)});
  EXPECT_FALSE(stream->closed.has_value());
  hub_.Dispatch(Work(3, kFirst + 1));
  EXPECT_EQ(stream->Orders(), std::vector<std::uint64_t>{1});
}

TEST_F(AgentHubTest, ANewerStreamTakesOver) {
  const auto older = Join();
  const auto newer = Connect(Hello(kFirst));
  ASSERT_TRUE(older->closed.has_value());
  EXPECT_EQ(older->closed->code(), absl::StatusCode::kAborted);
  Report(*older, 1);
  EXPECT_TRUE(taken_.empty());
  hub_.Ended(*older, kWorker);
  EXPECT_EQ(ended_, model::SessionId());
}

TEST_F(AgentHubTest, EndsAStreamWithAGap) {
  auto stream = Join();
  Report(*stream, 2);
  EXPECT_TRUE(stream->closed.has_value());
  stream = Connect(Hello(kFirst));
  hub_.Received(*stream, kWorker, model::AgentHeartbeat{{}, 5});
  EXPECT_TRUE(stream->closed.has_value());
}

// Else both would wait for the other for ever.
TEST_F(AgentHubTest, EndsAStreamWhoseSessionsBeginningWasLost) {
  auto stream = Connect(Hello(0));
  hub_.Received(*stream, kWorker, model::AgentHeartbeat{});  // it still clears
  EXPECT_FALSE(stream->closed.has_value());
  hub_.Received(*stream, kWorker, model::AgentHeartbeat{.session = model::SessionId(kFirst)});
  ASSERT_TRUE(stream->closed.has_value());
  EXPECT_EQ(stream->closed->code(), absl::StatusCode::kAborted);
  stream = Connect(Hello(kFirst));
  EXPECT_EQ(stream->All<model::ServerWelcome>()[0].session, model::SessionId(kFirst + 1));
}

TEST_F(AgentHubTest, EndsAStreamWithTooMuchUnderWayAndLosesNothing) {
  auto stream = Join();
  for (std::uint64_t seq = 1; seq <= 1025; ++seq) {
    Report(*stream, seq);
  }
  ASSERT_TRUE(stream->closed.has_value());
  EXPECT_EQ(stream->closed->code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(taken_.size(), 1024U);
  stream = Connect(Hello(kFirst));
  EXPECT_EQ(stream->All<model::ServerWelcome>()[0].reports_received, 1024U);
}

TEST_F(AgentHubTest, ForgetsRunsThatAreClosed) {
  const auto stream = Join();
  hub_.Dispatch(Work(0));
  Durable(model::RunClosed{model::RunId(5)});
  ASSERT_EQ(stream->Orders().size(), 2U);
  const auto last = stream->All<model::NumberedOrder>().back();
  EXPECT_EQ(std::get<model::ForgetRun>(last.order).run, model::RunId(5));
}

// An owner before this one gave it attempts of three runs: one was closed by that owner, who died
// before the agent heard of it, one is closed while it is away, one goes on.
TEST_F(AgentHubTest, WhatAnotherOwnerGaveIsForgotten) {
  hub_.Adopt({{kWorker, model::SessionId(kFirst)}});
  open_ = {model::RunId(6), model::RunId(7)};
  model::AgentHello hello = Hello(kFirst);
  hello.runs = {model::RunId(5), model::RunId(6), model::RunId(7)};
  auto stream = Connect(hello);
  EXPECT_THAT(Forgotten(*stream), ElementsAre(model::RunId(5)));
  hub_.Ended(*stream, kWorker);
  Durable(model::RunClosed{model::RunId(6)});
  stream = Connect(hello);
  EXPECT_THAT(Forgotten(*stream), Contains(model::RunId(6)));
  EXPECT_THAT(Forgotten(*stream), Not(Contains(model::RunId(7))));
  Durable(model::RunClosed{model::RunId(7)});
  EXPECT_EQ(Forgotten(*stream).back(), model::RunId(7));
}

TEST_F(AgentHubTest, ANewSessionHasNothingToForget) {
  model::AgentHello hello = Hello(0);
  hello.runs = {model::RunId(5)};
  EXPECT_THAT(Forgotten(*Connect(hello)), IsEmpty());
}

TEST_F(AgentHubTest, AHeartbeatTouchesAndTakesNothing) {
  const auto stream = Join();
  touched_ = {};
  hub_.Received(*stream, kWorker, model::AgentHeartbeat{});
  EXPECT_EQ(touched_, model::SessionId(kFirst));
  EXPECT_TRUE(taken_.empty());
  EXPECT_EQ(stream->All<model::ServerHeartbeat>().size(), 1U);
}

TEST_F(AgentHubTest, ClosesTheStreamOfARetiredWorker) {
  const auto stream = Join();
  hub_.Retire(kWorker);
  ASSERT_TRUE(stream->closed.has_value());
  EXPECT_EQ(stream->closed->code(), absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace api::hub
