// SPDX-License-Identifier: Apache-2.0
#include "engine/core/retry.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace engine::core {
namespace {

using model::Reason;
using model::ReasonCode;
using model::RetryOn;
using model::RetrySpec;
using model::Status;
using std::chrono::seconds;

model::AttemptKey Key(model::AttemptNumber attempt) {
  return {.run = model::RunId(1), .job = model::JobIndex(0), .attempt = attempt};
}

Reason Exit(std::int32_t code) {
  return {.code = ReasonCode::kExitCode, .detail = code};
}

constexpr std::uint8_t Bits(RetryOn a) {
  return static_cast<std::uint8_t>(a);
}

struct CoversCase {
  const char* name;
  std::uint8_t on;
  Status status;
  Reason reason;
  bool covers;
};

class Covering : public ::testing::TestWithParam<CoversCase> {};

TEST_P(Covering, IsAsWritten) {
  RetrySpec retry;
  retry.on = GetParam().on;
  retry.exit_codes = {3, 143};
  EXPECT_EQ(Covers(retry, GetParam().status, GetParam().reason), GetParam().covers);
}

const Reason kTimeout{.code = ReasonCode::kJobTimeout};
const Reason kOom{.code = ReasonCode::kOutOfMemory};
const Reason kTerm{.code = ReasonCode::kSignal, .detail = 15};
const CoversCase kCases[] = {
    {"NothingWrittenMeansAnyExit", 0, Status::kFailed, Exit(1), true},
    {"NothingWrittenMeansTimeouts", 0, Status::kTimedOut, kTimeout, true},
    {"NothingWrittenMeansOom", 0, Status::kFailed, kOom, true},
    {"NeverAnExpressionError", 0, Status::kFailed, {.code = ReasonCode::kBadExpression}, false},
    {"NeverWhatTheAuthorAskedForInVain",
     0,
     Status::kFailed,
     {.code = ReasonCode::kSetupFailed},
     false},
    {"InfraCoversNoExit", Bits(RetryOn::kInfra), Status::kFailed, Exit(1), false},
    {"TimeoutCoversTimeouts", Bits(RetryOn::kTimeout), Status::kTimedOut, kTimeout, true},
    {"TimeoutCoversStepTimeouts",
     Bits(RetryOn::kTimeout),
     Status::kFailed,
     {.code = ReasonCode::kStepTimeout},
     true},
    {"TimeoutCoversNoExit", Bits(RetryOn::kTimeout), Status::kFailed, Exit(1), false},
    {"OomCoversOom", Bits(RetryOn::kOom), Status::kFailed, kOom, true},
    {"AnyExitCoversExits", Bits(RetryOn::kAnyExit), Status::kFailed, Exit(7), true},
    {"AnyExitCoversSignals", Bits(RetryOn::kAnyExit), Status::kFailed, kTerm, true},
    {"AnyExitCoversNoTimeout", Bits(RetryOn::kAnyExit), Status::kTimedOut, kTimeout, false},
    {"ListedCoversItsCodes", Bits(RetryOn::kListedExits), Status::kFailed, Exit(3), true},
    {"ListedCoversASignalAsAShellShowsIt", Bits(RetryOn::kListedExits), Status::kFailed, kTerm,
     true},
    {"ListedCoversNoOtherCode", Bits(RetryOn::kListedExits), Status::kFailed, Exit(4), false},
};
INSTANTIATE_TEST_SUITE_P(Retry, Covering, ::testing::ValuesIn(kCases),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(RetryRule, StopsAfterTheAuthorsMax) {
  RetrySpec retry;
  retry.max = 2;
  FailedAttempt failed{.key = Key(1), .reason = Exit(1)};
  EXPECT_EQ(DecideRetry(retry, failed, 0).verdict, RetryVerdict::kAuthor);
  failed.author_retries = 1;
  EXPECT_EQ(DecideRetry(retry, failed, 0).verdict, RetryVerdict::kAuthor);
  failed.author_retries = 2;
  EXPECT_EQ(DecideRetry(retry, failed, 0).verdict, RetryVerdict::kGiveUp);
}

TEST(RetryRule, InfrastructureSpendsTheEnginesOwn) {
  const RetrySpec none;
  FailedAttempt lost{.key = Key(1), .infra = true, .reason = {.code = ReasonCode::kWorkerLost}};
  EXPECT_EQ(DecideRetry(none, lost, 0).verdict, RetryVerdict::kInfra);
  lost.infra_retries = model::DefaultSettings().infra_retries;
  lost.author_retries = 0;
  RetrySpec many;
  many.max = 100;
  EXPECT_EQ(DecideRetry(many, lost, 0).verdict, RetryVerdict::kInfraSpent);
}

TEST(RetryRule, WhatAWorkerTookAlongBeginsAgainAtOnceTheFirstTime) {
  const RetrySpec none;
  FailedAttempt failed{.key = Key(1), .infra = true, .reason = {.code = ReasonCode::kWorkerLost}};
  EXPECT_LE(DecideRetry(none, failed, 0).delay, std::chrono::milliseconds(1));
  failed.infra_retries = 1;
  EXPECT_GT(DecideRetry(none, failed, 0).delay, seconds(1));
  failed = {.key = Key(1), .infra = true, .reason = {.code = ReasonCode::kSetupFailed}};
  EXPECT_GT(DecideRetry(none, failed, 0).delay, std::chrono::milliseconds(800));
}

TEST(Backoff, GrowsToTheLongest) {
  RetrySpec retry;
  retry.jitter = 0;
  retry.initial = seconds(1);
  retry.factor = 3;
  retry.longest = seconds(20);
  EXPECT_EQ(BackoffDelay(retry, 1, Key(1), 5), seconds(1));
  EXPECT_EQ(BackoffDelay(retry, 2, Key(2), 5), seconds(3));
  EXPECT_EQ(BackoffDelay(retry, 3, Key(3), 5), seconds(9));
  EXPECT_EQ(BackoffDelay(retry, 4, Key(4), 5), seconds(20));
  EXPECT_EQ(BackoffDelay(retry, 4'000'000'000, Key(4), 5), seconds(20));
}

TEST(Backoff, JitterStaysInItsShareAndIsTheSameForTheSameAttempt) {
  RetrySpec retry;
  retry.jitter = 0.1;
  retry.initial = seconds(10);
  bool differ = false;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const base::Duration delay = BackoffDelay(retry, 1, Key(1), seed);
    EXPECT_GE(delay, seconds(9));
    EXPECT_LE(delay, seconds(11));
    EXPECT_EQ(delay, BackoffDelay(retry, 1, Key(1), seed));
    differ = differ || delay != BackoffDelay(retry, 1, Key(2), seed);
  }
  EXPECT_TRUE(differ);
}

TEST(Backoff, SurvivesNonsense) {
  RetrySpec retry;
  retry.initial = seconds(-5);
  retry.longest = seconds(-1);
  retry.factor = -3;
  retry.jitter = 1e300;
  EXPECT_EQ(BackoffDelay(retry, 3, Key(1), 1), base::Duration(0));
}

TEST(Tolerance, ListsCodesOrTakesAnything) {
  EXPECT_TRUE(Tolerates({.any = true}, kTimeout));
  EXPECT_TRUE(Tolerates({.exit_codes = {3}}, Exit(3)));
  EXPECT_FALSE(Tolerates({.exit_codes = {3}}, Exit(4)));
  EXPECT_FALSE(Tolerates({.exit_codes = {3}}, kTimeout));
  EXPECT_FALSE(Tolerates({}, Exit(0)));
}

}  // namespace
}  // namespace engine::core
