// SPDX-License-Identifier: Apache-2.0
#include "agents/core/session.h"

#include <set>

#include <gtest/gtest.h>

namespace agents::core {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kLife = 5;

model::AttemptReported ReportOf(std::uint32_t job, bool ended = false) {
  model::AttemptReported report;
  report.lease.key = {.run = model::RunId(7), .job = model::JobIndex(job), .attempt = 1};
  report.reports = {model::ReportStarted{0}};
  if (ended) {
    report.reports.emplace_back(model::ReportEnded{});
  }
  return report;
}

// A session whose clock and streams the test holds.
class SessionTest : public testing::Test {
 protected:
  static SessionOptions Options() {
    SessionOptions options;
    options.addresses = {"a", "b"};
    options.slots = 2;
    options.offer.labels = {{"disk", "ssd"}};
    return options;
  }

  SessionDecisions Step(const SessionInput& input) {
    SessionDecisions decisions = session_.Step(input, now_, draw_);
    for (const SessionEffect& effect : decisions.effects) {
      if (const auto* dial = std::get_if<Dial>(&effect)) {
        stream_ = dial->stream;
        dialled_.push_back(dial->address);
      }
    }
    return decisions;
  }
  SessionDecisions Hear(const model::ServerMessage& message) {
    return Step(MessageCame{stream_, message});
  }
  SessionDecisions Pass(base::Duration length) {
    now_ += length;
    return Step(TimePassed{});
  }
  SessionDecisions Welcome(bool resumed, std::uint64_t received = 0, std::uint64_t life = kLife,
                           std::uint64_t first_order = 1) {
    return Hear(model::ServerWelcome{.session = model::SessionId(resumed ? 1 : 2),
                                     .resumed = resumed,
                                     .reports_received = received,
                                     .offline = minutes(15),
                                     .heartbeat = seconds(3),
                                     .order_life = life,
                                     .first_order = first_order});
  }
  void Greet() {
    Step(TimePassed{});
    Step(StreamUp{stream_});
  }
  void GoLive() {
    Greet();
    Welcome(true);
  }
  void Redial() {
    Step(StreamDown{stream_, ""});
    now_ += seconds(5);
    Greet();
  }

  template <typename Effect>
  static std::vector<Effect> All(const SessionDecisions& decisions) {
    std::vector<Effect> found;
    for (const SessionEffect& effect : decisions.effects) {
      if (const auto* body = std::get_if<Effect>(&effect)) {
        found.push_back(*body);
      }
    }
    return found;
  }
  template <typename Message>
  static std::vector<Message> Sent(const SessionDecisions& decisions) {
    std::vector<Message> found;
    for (const SendMessage& send : All<SendMessage>(decisions)) {
      if (const auto* body = std::get_if<Message>(&send.message)) {
        found.push_back(*body);
      }
    }
    return found;
  }
  static std::vector<std::uint64_t> Numbers(const SessionDecisions& decisions) {
    std::vector<std::uint64_t> numbers;
    for (const model::NumberedReport& report : Sent<model::NumberedReport>(decisions)) {
      numbers.push_back(report.seq);
    }
    return numbers;
  }

  base::Instant now_ = base::InstantFromMicros(1'000'000);
  std::uint64_t draw_ = 0;
  StreamNumber stream_ = 0;
  std::vector<std::string> dialled_;
  Session session_{Options(), now_};
};

TEST_F(SessionTest, DialsGreetsAndGoesOn) {
  Step(TimePassed{});
  EXPECT_EQ(dialled_, std::vector<std::string>{"a"});
  const auto hello = Sent<model::AgentHello>(Step(StreamUp{stream_}));
  ASSERT_EQ(hello.size(), 1U);
  EXPECT_EQ(hello[0].slots, 2U);
  EXPECT_EQ(hello[0].session, model::SessionId());
  EXPECT_EQ(hello[0].offer.labels, (std::vector<model::Label>{{"disk", "ssd"}}));
  Welcome(true);
  EXPECT_EQ(session_.phase(), SessionPhase::kLive);
}

TEST_F(SessionTest, BeginsOnlyWhenNothingOfTheOldSessionIsLeft) {
  Greet();
  Step(ReportMade{ReportOf(1)});
  EXPECT_EQ(All<EndEverything>(Welcome(false)).size(), 1U);
  EXPECT_EQ(session_.phase(), SessionPhase::kClearing);
  const SessionDecisions cleared = Step(AttemptsCleared{});
  ASSERT_EQ(cleared.facts.size(), 1U);
  EXPECT_EQ(std::get<SessionBegun>(cleared.facts[0]).session, model::SessionId(2));
  EXPECT_EQ(Sent<model::AgentBegin>(cleared).size(), 1U);
  EXPECT_EQ(session_.reports_held(), 0U);
}

TEST_F(SessionTest, HoldsReportsUntilTheyAreAcknowledged) {
  GoLive();
  EXPECT_EQ(Numbers(Step(ReportMade{ReportOf(1)})), std::vector<std::uint64_t>{1});
  EXPECT_EQ(Numbers(Step(ReportMade{ReportOf(1, true)})), std::vector<std::uint64_t>{2});
  EXPECT_TRUE(All<ResultSettled>(Hear(model::ReportsAcknowledged{.seq = 1})).empty());
  EXPECT_EQ(session_.reports_held(), 1U);
  EXPECT_EQ(All<ResultSettled>(Hear(model::ReportsAcknowledged{.seq = 2})).size(), 1U);
  EXPECT_EQ(session_.reports_held(), 0U);
}

TEST_F(SessionTest, SendsAgainWhatTheServerHasNotReceived) {
  GoLive();
  for (std::uint32_t job = 0; job < 4; ++job) {
    Step(ReportMade{ReportOf(job)});
  }
  Hear(model::ReportsAcknowledged{.seq = 1});
  Redial();
  EXPECT_EQ(Numbers(Welcome(true, 3)), std::vector<std::uint64_t>{4});
  Redial();
  EXPECT_EQ(Numbers(Welcome(true, 0)), (std::vector<std::uint64_t>{2, 3, 4}))
      << "a new server knows no numbers";
}

TEST_F(SessionTest, SendsNoMoreThanItsWindow) {
  GoLive();
  std::size_t sent = 0;
  for (std::uint32_t job = 0; job < 300; ++job) {
    sent += Numbers(Step(ReportMade{ReportOf(job)})).size();
  }
  EXPECT_EQ(sent, Options().reports_under_way_max);
  EXPECT_EQ(Numbers(Hear(model::ReportsAcknowledged{.seq = 10})).size(), 10U);
}

TEST_F(SessionTest, RecoversWhatItHeldFromItsJournal) {
  Session restarted(Options(), now_);
  restarted.Apply(SessionBegun{model::SessionId(3)});
  restarted.Apply(ReportHeld{ReportOf(1)});
  restarted.Apply(ReportHeld{ReportOf(2)});
  restarted.Apply(ReportsForgotten{1});
  EXPECT_EQ(restarted.session(), model::SessionId(3));
  EXPECT_EQ(restarted.reports_held(), 1U);
}

TEST_F(SessionTest, TakesOrdersOnceAndSaysHowFarItIs) {
  GoLive();
  const model::NumberedOrder order{1, model::ForgetRun{model::RunId(7)}};
  EXPECT_EQ(All<TakeOrder>(Hear(order)).size(), 1U);
  EXPECT_TRUE(All<TakeOrder>(Hear(order)).empty());
  Step(OrderTaken{stream_, 1});
  const auto beats = Sent<model::AgentHeartbeat>(Pass(seconds(3)));
  ASSERT_EQ(beats.size(), 1U);
  EXPECT_EQ(beats[0].orders_received, (model::OrderMark{kLife, 1}));
  EXPECT_EQ(beats[0].session, session_.session());
}

TEST_F(SessionTest, AsksAgainForAnOrderThatIsNotInTheJournal) {
  GoLive();
  const model::NumberedOrder order{1, model::ForgetRun{model::RunId(7)}};
  Hear(order);
  Redial();
  Welcome(true);
  EXPECT_EQ(All<TakeOrder>(Hear(order)).size(), 1U);
}

TEST_F(SessionTest, StartsCountingOrdersAnewInAnotherLifeOfTheServer) {
  GoLive();
  Hear(model::NumberedOrder{1, model::DrainAgent{}});
  Step(OrderTaken{stream_, 1});
  Redial();
  Welcome(true, 0, kLife + 1);
  EXPECT_EQ(All<TakeOrder>(Hear(model::NumberedOrder{1, model::DrainAgent{}})).size(), 1U);
}

TEST_F(SessionTest, GoesOnWithTheOrderThatTheServerNames) {
  Greet();
  Welcome(true, 0, kLife, 6);
  EXPECT_TRUE(All<TakeOrder>(Hear(model::NumberedOrder{5, model::DrainAgent{}})).empty());
  EXPECT_EQ(All<TakeOrder>(Hear(model::NumberedOrder{6, model::DrainAgent{}})).size(), 1U);
}

TEST_F(SessionTest, HangsUpWhenSomethingIsMissing) {
  GoLive();
  EXPECT_EQ(All<HangUp>(Hear(model::NumberedOrder{2, model::DrainAgent{}})).size(), 1U);
  Pass(seconds(5));
  Step(StreamUp{stream_});
  Welcome(true);
  EXPECT_EQ(All<HangUp>(Hear(model::ServerHeartbeat{.sent = 1})).size(), 1U);
  EXPECT_EQ(session_.phase(), SessionPhase::kWaiting);
}

TEST_F(SessionTest, HangsUpWhenNothingIsHeard) {
  GoLive();
  Pass(seconds(9));
  EXPECT_EQ(session_.phase(), SessionPhase::kLive);
  EXPECT_EQ(All<HangUp>(Pass(seconds(1))).size(), 1U);
}

TEST_F(SessionTest, AsksTheNextServerAtOnceAndPausesBetweenRounds) {
  draw_ = ~0ULL;
  base::Duration before{0};
  Step(TimePassed{});
  for (int round = 0; round < 4; ++round) {
    Step(StreamUp{stream_});  // whether anybody is there is not known by this
    Step(StreamDown{stream_, ""});
    EXPECT_EQ(session_.phase(), SessionPhase::kDialling) << "the other one is asked at once";
    Step(StreamDown{stream_, ""});
    EXPECT_EQ(session_.phase(), SessionPhase::kWaiting);
    const base::Duration pause = *session_.NextDeadline() - now_;
    EXPECT_GT(pause, before);
    before = pause;
    Pass(pause);
  }
  EXPECT_EQ(dialled_, (std::vector<std::string>{"a", "b", "a", "b", "a", "b", "a", "b", "a"}));
}

TEST_F(SessionTest, PausesAtMostASecondJustAfterItHeardAServerAndFiveSecondsLater) {
  draw_ = ~0ULL;
  GoLive();
  const base::Instant lost = now_;
  base::Duration longest_at_first{0};
  base::Duration longest{0};
  for (int i = 0; i < 200; ++i) {
    Step(StreamDown{stream_, ""});
    const base::Duration pause =
        session_.phase() == SessionPhase::kWaiting ? *session_.NextDeadline() - now_ : seconds(0);
    longest = std::max(longest, pause);
    if (now_ < lost + minutes(1)) {
      longest_at_first = longest;
    }
    Pass(pause);
  }
  EXPECT_GT(longest_at_first, milliseconds(500));
  EXPECT_LE(longest_at_first, seconds(1));
  EXPECT_GT(longest, milliseconds(2500));
  EXPECT_LE(longest, seconds(5));
}

TEST_F(SessionTest, PausesAtMostASecondWhileAttemptsRun) {
  draw_ = ~0ULL;
  GoLive();
  for (int i = 0; i < 600; ++i) {
    Step(StreamDown{.stream = stream_, .owner = "", .working = true});
    const base::Duration pause =
        session_.phase() == SessionPhase::kWaiting ? *session_.NextDeadline() - now_ : seconds(0);
    EXPECT_LE(pause, seconds(1));
    Pass(pause);
  }
  EXPECT_GT(now_, session_.contact() + minutes(2));
}

// The owner is killed; the standby names it until its lease has ended.
TEST_F(SessionTest, FindsTheNewOwnerWithinASecondOfItsTakeover) {
  draw_ = ~0ULL;
  GoLive();
  const base::Instant taken_over = now_ + seconds(4);
  Step(StreamDown{stream_, ""});
  while (session_.phase() != SessionPhase::kLive) {
    if (session_.phase() == SessionPhase::kWaiting) {
      Pass(*session_.NextDeadline() - now_);
    } else if (dialled_.back() == "a") {
      Step(StreamDown{stream_, ""});
    } else if (now_ < taken_over) {
      Step(StreamUp{stream_});
      Step(StreamDown{stream_, "a"});
    } else {
      Step(StreamUp{stream_});
      Welcome(true);
    }
  }
  EXPECT_LE(now_, taken_over + seconds(1));
}

// A server that was the owner may go on naming itself.
TEST_F(SessionTest, AsksTheOthersWhenOnePointsAtItself) {
  Step(TimePassed{});
  EXPECT_EQ(dialled_.back(), "a");
  Step(StreamDown{stream_, "a"});
  Pass(seconds(5));
  EXPECT_EQ(dialled_.back(), "b");
}

TEST_F(SessionTest, FollowsToTheOwnerAtOnceButNotInCircles) {
  Step(TimePassed{});
  Step(StreamDown{stream_, "owner"});
  EXPECT_EQ(dialled_.back(), "owner");
  EXPECT_EQ(session_.phase(), SessionPhase::kDialling);
  Step(StreamDown{stream_, "other"});
  EXPECT_EQ(session_.phase(), SessionPhase::kWaiting);
  Pass(seconds(5));
  EXPECT_EQ(dialled_.back(), "other");
}

TEST_F(SessionTest, EndsItsAttemptsOnceWhenOfflineForTooLong) {
  GoLive();
  Step(StreamDown{stream_, ""});
  EXPECT_TRUE(All<EndOffline>(Pass(minutes(15) - seconds(1))).empty());
  EXPECT_EQ(All<EndOffline>(Pass(seconds(1))).size(), 1U);
  EXPECT_TRUE(All<EndOffline>(Pass(minutes(15))).empty());
  Step(ReportMade{ReportOf(1, true)});
  EXPECT_EQ(session_.reports_held(), 1U) << "results are kept for whoever answers next";
}

TEST_F(SessionTest, ARestartGivesNoMoreTimeOffline) {
  SessionOptions options = Options();
  options.contact = now_ - minutes(14);
  Session restarted(options, now_);
  const auto ends = [&](base::Duration after) {
    return All<EndOffline>(restarted.Step(TimePassed{}, now_ + after, 1)).size();
  };
  EXPECT_EQ(ends(seconds(59)), 0U);
  EXPECT_EQ(ends(seconds(60)), 1U);
}

TEST_F(SessionTest, SaysThatItDrainsOnceAStream) {
  Greet();
  Step(DrainWanted{});
  EXPECT_EQ(All<SendMessage>(Welcome(true)).size(), 1U) << "`Hello` had gone out before";
  Redial();
  EXPECT_TRUE(All<SendMessage>(Welcome(true)).empty()) << "this `Hello` said it";
}

TEST_F(SessionTest, EndsAnAttemptThatIsNoLongerItsOwn) {
  GoLive();
  Step(ReportMade{ReportOf(4)});
  model::RefusedReport refused{.seq = 1,
                               .attempt = ReportOf(4).lease.key,
                               .verdict = model::ReportVerdict::kStale,
                               .message = ""};
  EXPECT_EQ(All<EndStale>(Hear(model::ReportsAcknowledged{1, {refused}})).size(), 1U);
  Step(ReportMade{ReportOf(4)});
  refused.verdict = model::ReportVerdict::kRepeated;
  EXPECT_TRUE(All<EndStale>(Hear(model::ReportsAcknowledged{2, {refused}})).empty());
}

TEST_F(SessionTest, StopsForEverWhenTheWorkerIsRefused) {
  GoLive();
  const SessionDecisions decisions = Step(WorkerRefused{"retired"});
  EXPECT_EQ(All<GiveUp>(decisions).size(), 1U);
  EXPECT_EQ(All<EndEverything>(decisions).size(), 1U);
  EXPECT_FALSE(session_.NextDeadline().has_value());
}

TEST_F(SessionTest, IgnoresWhatComesOfAnOlderStream) {
  GoLive();
  const StreamNumber old = stream_;
  Redial();
  Welcome(true);
  EXPECT_TRUE(Step(StreamDown{old, ""}).effects.empty());
  EXPECT_TRUE(Step(MessageCame{old, model::NumberedOrder{9, model::DrainAgent{}}}).effects.empty());
  EXPECT_EQ(session_.phase(), SessionPhase::kLive);
}

// ---- the table

class SessionTable : public SessionTest, public testing::WithParamInterface<std::tuple<int, int>> {
 protected:
  void Reach(SessionPhase phase) {
    if (phase == SessionPhase::kWaiting) {
      return;
    }
    Step(TimePassed{});
    if (phase >= SessionPhase::kGreeting) {
      Step(StreamUp{stream_});
    }
    if (phase == SessionPhase::kClearing || phase == SessionPhase::kLive) {
      Welcome(phase == SessionPhase::kLive);
    }
    if (phase == SessionPhase::kRefused) {
      Step(WorkerRefused{""});
    }
  }
  void Pull(SessionTrigger trigger) {
    switch (trigger) {
      case SessionTrigger::kDialDue:
        Step(TimePassed{});
        return;
      case SessionTrigger::kStreamUp:
        Step(StreamUp{stream_});
        return;
      case SessionTrigger::kResumed:
      case SessionTrigger::kAnew:
        Welcome(trigger == SessionTrigger::kResumed);
        return;
      case SessionTrigger::kCleared:
        Step(AttemptsCleared{});
        return;
      case SessionTrigger::kLost:
        Step(StreamDown{stream_, ""});
        return;
      case SessionTrigger::kRefused:
        Step(WorkerRefused{""});
        return;
    }
  }
};

TEST_P(SessionTable, IsWhatTheMachineDoes) {
  const auto from = static_cast<SessionPhase>(std::get<0>(GetParam()));
  const auto trigger = static_cast<SessionTrigger>(std::get<1>(GetParam()));
  Reach(from);
  ASSERT_EQ(session_.phase(), from);
  SessionPhase to = from;
  for (const SessionTransition& row : SessionTransitions()) {
    to = row.trigger == trigger && row.from == from ? row.to : to;
  }
  // A welcome out of turn is a broken server: the stream is given up.
  const bool welcome = trigger == SessionTrigger::kResumed || trigger == SessionTrigger::kAnew;
  if (welcome && (from == SessionPhase::kLive || from == SessionPhase::kClearing)) {
    to = SessionPhase::kWaiting;
  }
  // Somebody is asked at once unless everybody was.
  const bool unwelcome = from == SessionPhase::kDialling || from == SessionPhase::kGreeting;
  if (trigger == SessionTrigger::kLost && unwelcome) {
    Pull(trigger);
    EXPECT_EQ(session_.phase(), SessionPhase::kDialling);
    Reach(from);
  }
  Pull(trigger);
  EXPECT_EQ(session_.phase(), to);
}

INSTANTIATE_TEST_SUITE_P(All, SessionTable,
                         testing::Combine(testing::Range(0, kSessionPhaseCount),
                                          testing::Range(0, kSessionTriggerCount)));

}  // namespace
}  // namespace agents::core
