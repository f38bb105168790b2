// SPDX-License-Identifier: Apache-2.0
#include "engine/loop/liveness.h"

#include <gtest/gtest.h>

namespace engine::loop {
namespace {

using std::chrono::seconds;

constexpr model::WorkerId kWorker(7);
constexpr model::SessionId kSession(3);
constexpr base::Instant kStart = base::InstantFromMicros(1'000'000'000);

std::vector<std::string> Names(const std::vector<model::Input>& inputs) {
  std::vector<std::string> names;
  for (const model::Input& input : inputs) {
    names.emplace_back(NameOf(input));
  }
  return names;
}
using List = std::vector<std::string>;

TEST(Liveness, SuspectsThenGivesUpOnce) {
  Liveness liveness;
  liveness.Touch(kWorker, kSession, kStart);
  EXPECT_EQ(Names(liveness.Check(kStart + seconds(5))), List{});
  EXPECT_EQ(liveness.NextCheck(), kStart + seconds(6));
  EXPECT_EQ(Names(liveness.Check(kStart + seconds(6))), List{"worker_suspected"});
  EXPECT_EQ(Names(liveness.Check(kStart + seconds(7))), List{});
  EXPECT_EQ(liveness.NextCheck(), kStart + seconds(12));
  EXPECT_EQ(Names(liveness.Check(kStart + seconds(12))), List{"worker_silent"});
  EXPECT_EQ(Names(liveness.Check(kStart + seconds(99))), List{});
  EXPECT_EQ(liveness.NextCheck(), std::nullopt);
}

TEST(Liveness, ALongSleepSaysBothInOrder) {
  Liveness liveness;
  liveness.Touch(kWorker, kSession, kStart);
  EXPECT_EQ(Names(liveness.Check(kStart + seconds(60))),
            (List{"worker_suspected", "worker_silent"}));
}

TEST(Liveness, AnyByteRenews) {
  Liveness liveness;
  liveness.Touch(kWorker, kSession, kStart);
  EXPECT_FALSE(liveness.Touch(kWorker, kSession, kStart + seconds(5)));
  EXPECT_EQ(Names(liveness.Check(kStart + seconds(10))), List{});
  EXPECT_EQ(liveness.NextCheck(), kStart + seconds(11));
}

TEST(Liveness, ASuspectedWorkerReturns) {
  Liveness liveness;
  liveness.Touch(kWorker, kSession, kStart);
  EXPECT_TRUE(liveness.Suspect(kWorker, kSession));
  EXPECT_FALSE(liveness.Suspect(kWorker, kSession)) << "only once";
  EXPECT_TRUE(liveness.Touch(kWorker, kSession, kStart + seconds(1)));
  EXPECT_FALSE(liveness.Touch(kWorker, kSession, kStart + seconds(2)));
}

TEST(Liveness, AnOlderSessionSaysNothing) {
  Liveness liveness;
  liveness.Touch(kWorker, kSession, kStart);
  EXPECT_FALSE(liveness.Touch(kWorker, model::SessionId(2), kStart + seconds(5)));
  EXPECT_FALSE(liveness.Suspect(kWorker, model::SessionId(2)));
  EXPECT_EQ(Names(liveness.Check(kStart + seconds(6))), List{"worker_suspected"});
}

TEST(Liveness, ANewSessionIsNoReturn) {
  Liveness liveness;
  liveness.Touch(kWorker, kSession, kStart);
  liveness.Suspect(kWorker, kSession);
  EXPECT_FALSE(liveness.Touch(kWorker, model::SessionId(4), kStart + seconds(1)));
}

TEST(Liveness, AfterRecoverySilenceCountsOnlyLater) {
  Liveness liveness;
  liveness.AddUnconfirmed(kWorker, kSession, kStart);
  EXPECT_EQ(Names(liveness.Check(kStart + seconds(29))), List{});
  EXPECT_EQ(Names(liveness.Check(kStart + seconds(30))), List{"worker_silent"});
}

TEST(Liveness, AnUnconfirmedWorkerThatSpeaksIsAlive) {
  Liveness liveness;
  liveness.AddUnconfirmed(kWorker, kSession, kStart);
  // It may stand as suspected in the log: the core is told, and knows better.
  EXPECT_TRUE(liveness.Touch(kWorker, kSession, kStart + seconds(3)));
  EXPECT_EQ(liveness.NextCheck(), kStart + seconds(9));
}

TEST(Liveness, WhoIsExemptOrForgottenIsNotWatched) {
  Liveness liveness;
  liveness.Touch(kWorker, kSession, kStart);
  liveness.Exempt(kWorker);
  EXPECT_EQ(liveness.NextCheck(), std::nullopt);
  EXPECT_FALSE(liveness.Suspect(kWorker, kSession));
  liveness.Touch(model::WorkerId(8), kSession, kStart);
  liveness.Forget(model::WorkerId(8));
  EXPECT_EQ(Names(liveness.Check(kStart + seconds(99))), List{});
}

}  // namespace
}  // namespace engine::loop
