// SPDX-License-Identifier: Apache-2.0
#include "agents/logs/shipping_policy.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agents::logs {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kKiB = 1024;

model::LogKey Log(std::uint32_t job) {
  return {.attempt = {.run = model::RunId(1), .job = model::JobIndex(job), .attempt = 1},
          .step = model::StepIndex(0)};
}

base::Instant At(std::int64_t milliseconds) {
  return base::InstantFromMicros(1000 * milliseconds);
}

class ShippingPolicyTest : public ::testing::Test {
 protected:
  ShippingPolicyTest() { policy_.Connected(); }
  /// `job:offset+length`, `job:end`.
  std::vector<std::string> Sent(std::int64_t milliseconds) {
    std::vector<std::string> sent;
    while (const auto shipment = policy_.Next(At(milliseconds))) {
      if (const auto* batch = std::get_if<SendBytes>(&*shipment)) {
        sent.push_back(
            fmt::format("{}:{}+{}", batch->log.attempt.job.value(), batch->offset, batch->length));
      } else {
        sent.push_back(fmt::format("{}:end", std::get<SendEnd>(*shipment).log.attempt.job.value()));
      }
    }
    return sent;
  }
  /// The log is known to the server up to `received`.
  void Begin(std::uint64_t received) {
    policy_.Grown(Log(0), received, At(0));
    Sent(0);
    policy_.Answered(Log(0), {.received = received});
  }
  ShippingPolicy policy_{{.window_bytes = 1 << 20}};
};

TEST_F(ShippingPolicyTest, ABatchLeavesAtOnceWhenNoneIsUnderWay) {
  policy_.Grown(Log(0), 10, At(0));
  EXPECT_THAT(Sent(0), ElementsAre("0:0+10"));
  EXPECT_THAT(Sent(0), IsEmpty());
}

TEST_F(ShippingPolicyTest, WhileOneIsUnderWayBytesGatherUntilItIsAcknowledged) {
  Begin(10);
  policy_.Grown(Log(0), 20, At(1));
  EXPECT_THAT(Sent(1), ElementsAre("0:10+10"));
  policy_.Grown(Log(0), 30, At(2));
  policy_.Grown(Log(0), 40, At(3));
  EXPECT_THAT(Sent(3), IsEmpty());
  policy_.Answered(Log(0), {.received = 20});
  EXPECT_THAT(Sent(4), ElementsAre("0:20+20"));
}

TEST_F(ShippingPolicyTest, GatheredBytesLeaveWhenTheyAreMany) {
  Begin(10);
  policy_.Grown(Log(0), 20, At(1));
  Sent(1);
  policy_.Grown(Log(0), 20 + 64 * kKiB - 1, At(2));
  EXPECT_THAT(Sent(2), IsEmpty());
  policy_.Grown(Log(0), 20 + 64 * kKiB, At(3));
  EXPECT_THAT(Sent(3), ElementsAre("0:20+65536"));
}

TEST_F(ShippingPolicyTest, GatheredBytesLeaveAfterAWhile) {
  Begin(10);
  policy_.Grown(Log(0), 20, At(1));
  Sent(1);
  policy_.Grown(Log(0), 30, At(5));
  EXPECT_EQ(policy_.NextDeadline(), At(105));
  EXPECT_THAT(Sent(104), IsEmpty());
  EXPECT_THAT(Sent(105), ElementsAre("0:20+10"));
}

TEST_F(ShippingPolicyTest, NoMoreIsUnderWayThanTheWindowHolds) {
  Begin(10);
  policy_.Grown(Log(0), 10 + 3000 * kKiB, At(1));
  EXPECT_THAT(Sent(1),
              ElementsAre("0:10+262144", "0:262154+262144", "0:524298+262144", "0:786442+262144"));
  EXPECT_EQ(policy_.NextDeadline(), At(5001));
  policy_.Answered(Log(0), {.received = 262154});
  EXPECT_THAT(Sent(2), ElementsAre("0:1048586+262144"));
}

TEST_F(ShippingPolicyTest, LogsTakeTurns) {
  for (const std::uint32_t job : {0U, 1U, 2U}) {
    policy_.Grown(Log(job), 10, At(0));
    Sent(0);
    policy_.Answered(Log(job), {.received = 10});
  }
  for (const std::uint32_t job : {0U, 1U, 2U}) {
    policy_.Grown(Log(job), 10 + 300 * kKiB, At(1));
  }
  EXPECT_THAT(Sent(1), ElementsAre("0:10+262144", "1:10+262144", "2:10+262144"));
}

TEST_F(ShippingPolicyTest, TheEndFollowsTheLastByte) {
  Begin(10);
  policy_.Grown(Log(0), 20, At(1));
  Sent(1);
  policy_.Ended(Log(0), {.length = 30});
  EXPECT_THAT(Sent(1), ElementsAre("0:20+10", "0:end"));
  policy_.Answered(Log(0), {.received = 30, .archived = 10});
  EXPECT_THAT(Sent(1), IsEmpty());
  EXPECT_FALSE(policy_.IsDone(Log(0)));
  EXPECT_EQ(policy_.Archived(Log(0)), 10u);
  policy_.Answered(Log(0), {.received = 30, .archived = 30, .complete = true});
  EXPECT_TRUE(policy_.IsDone(Log(0)));
}

TEST_F(ShippingPolicyTest, NothingIsSentWithoutAConnection) {
  policy_.Disconnected();
  policy_.Grown(Log(0), 10, At(0));
  EXPECT_THAT(Sent(0), IsEmpty());
  policy_.Connected();
  EXPECT_THAT(Sent(1), ElementsAre("0:0+10"));
}

TEST_F(ShippingPolicyTest, ANewConnectionBeginsWithOneBatchFromWhatWasReceived) {
  Begin(10);
  policy_.Grown(Log(0), 10 + 300 * kKiB, At(1));
  Sent(1);
  policy_.Disconnected();
  policy_.Connected();
  EXPECT_THAT(Sent(2), ElementsAre("0:10+262144"));
  policy_.Answered(Log(0), {.received = 262154});
  EXPECT_THAT(Sent(3), ElementsAre("0:262154+45056"));
}

TEST_F(ShippingPolicyTest, AnOwnerThatHasLessGetsTheRestAgain) {
  Begin(100);
  policy_.Ended(Log(0), {.length = 100});
  EXPECT_THAT(Sent(1), ElementsAre("0:end"));
  policy_.Connected();
  EXPECT_THAT(Sent(2), ElementsAre("0:end"));
  policy_.Answered(Log(0), {.received = 40});
  EXPECT_THAT(Sent(3), ElementsAre("0:40+60", "0:end"));
}

TEST_F(ShippingPolicyTest, AnOwnerThatHasMoreIsNotToldAgain) {
  Begin(10);
  policy_.Grown(Log(0), 100, At(1));
  policy_.Connected();
  Sent(2);
  policy_.Answered(Log(0), {.received = 100});
  EXPECT_THAT(Sent(3), IsEmpty());
}

TEST_F(ShippingPolicyTest, WhatNobodyAnswersIsSentAgain) {
  Begin(10);
  policy_.Grown(Log(0), 20, At(1));
  EXPECT_THAT(Sent(1), ElementsAre("0:10+10"));
  policy_.Grown(Log(0), 30, At(150));
  EXPECT_THAT(Sent(300), ElementsAre("0:20+10"));
  EXPECT_THAT(Sent(5000), IsEmpty());
  EXPECT_THAT(Sent(5001), ElementsAre("0:10+20"));
  policy_.Answered(Log(0), {.received = 30});
  EXPECT_THAT(Sent(10'002), IsEmpty());
}

TEST_F(ShippingPolicyTest, WhatNobodyWantsIsDropped) {
  Begin(10);
  policy_.Answered(Log(0), {.unwanted = true});
  EXPECT_TRUE(policy_.IsDone(Log(0)));
}

TEST_F(ShippingPolicyTest, BytesThatCannotBeReadAreNamed) {
  Begin(10);
  policy_.Ended(Log(0), {.length = 100, .checksum = 5});
  policy_.Lost(Log(0), 30);
  EXPECT_THAT(Sent(1), ElementsAre("0:10+20", "0:end"));
  policy_.Connected();
  policy_.Answered(Log(0), {.received = 30});
  const auto end = policy_.Next(At(2));
  ASSERT_TRUE(end.has_value());
  EXPECT_THAT(std::get<SendEnd>(*end).end.lost, ElementsAre(model::ByteRange{30, 100}));
}

}  // namespace
}  // namespace agents::logs
