// SPDX-License-Identifier: Apache-2.0
#include "api/bulk/chunk_grants.h"

#include <gtest/gtest.h>

namespace api::bulk {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using Code = absl::StatusCode;

const model::AttemptKey kAttempt{.run = model::RunId(5), .job = model::JobIndex(1), .attempt = 1};
const model::WorkerId kOwner(1);
const model::WorkerId kOther(2);

model::Lease LeaseOf(model::WorkerId worker) {
  return {.key = kAttempt, .worker = worker, .session = model::SessionId(1)};
}

model::LogKey LogOf(std::uint32_t step) {
  return {.attempt = kAttempt, .step = model::StepIndex(step)};
}

class ChunkGrantsTest : public ::testing::Test {
 protected:
  ChunkGrantsTest() { grants_.Open(LeaseOf(kOwner), {.artifacts = {given_}, .steps = 2}); }
  base::Digest given_ = base::Sha256("given");
  base::Digest own_ = base::Sha256("own");
  ChunkGrants grants_;
};

TEST_F(ChunkGrantsTest, AWorkerGetsWhatItsAttemptWasGiven) {
  EXPECT_TRUE(grants_.MayGet(kOwner, kAttempt, given_).ok());
  EXPECT_EQ(grants_.MayGet(kOwner, kAttempt, own_).code(), Code::kPermissionDenied);
  grants_.Give(kAttempt, {own_});
  EXPECT_TRUE(grants_.MayGet(kOwner, kAttempt, own_).ok());
}

TEST_F(ChunkGrantsTest, AWorkerPutsWhatItDeclared) {
  EXPECT_EQ(grants_.MayPut(kOwner, kAttempt, own_).code(), Code::kPermissionDenied);
  EXPECT_EQ(grants_.MayPut(kOwner, kAttempt, given_).code(), Code::kPermissionDenied);
  ASSERT_TRUE(grants_.Declare(kOwner, kAttempt, {own_}).ok());
  EXPECT_TRUE(grants_.MayPut(kOwner, kAttempt, own_).ok());
  EXPECT_EQ(grants_.MayGet(kOwner, kAttempt, own_).code(), Code::kPermissionDenied);
}

TEST_F(ChunkGrantsTest, AnotherWorkerMayNothing) {
  EXPECT_EQ(grants_.MayGet(kOther, kAttempt, given_).code(), Code::kPermissionDenied);
  EXPECT_EQ(grants_.Declare(kOther, kAttempt, {own_}).code(), Code::kPermissionDenied);
  EXPECT_EQ(grants_.MayLog(kOther, LogOf(0)).code(), Code::kPermissionDenied);
}

TEST_F(ChunkGrantsTest, ANewLeaseEndsTheOldOne) {
  grants_.Open(LeaseOf(kOther), {});
  EXPECT_EQ(grants_.MayGet(kOwner, kAttempt, given_).code(), Code::kPermissionDenied);
  EXPECT_TRUE(grants_.MayGet(kOther, kAttempt, given_).ok());
}

TEST_F(ChunkGrantsTest, AWorkerSendsLogsOfStepsThatThereAre) {
  EXPECT_TRUE(grants_.MayLog(kOwner, LogOf(1)).ok());
  EXPECT_EQ(grants_.MayLog(kOwner, LogOf(2)).code(), Code::kInvalidArgument);
}

TEST_F(ChunkGrantsTest, AnAttemptThatEndedMovesNoChunksButTheRestOfItsLogs) {
  grants_.Close(kAttempt);
  EXPECT_EQ(grants_.Declare(kOwner, kAttempt, {own_}).code(), Code::kPermissionDenied);
  EXPECT_TRUE(grants_.MayLog(kOwner, LogOf(0)).ok());
  EXPECT_EQ(grants_.MayGet(kOwner, kAttempt, given_).code(), Code::kPermissionDenied);
  grants_.Give(kAttempt, {own_});
  EXPECT_EQ(grants_.MayGet(kOwner, kAttempt, own_).code(), Code::kPermissionDenied);
}

TEST_F(ChunkGrantsTest, NothingIsKnownOfARunThatIsForgotten) {
  grants_.ForgetRun(model::RunId(6));
  EXPECT_TRUE(grants_.MayLog(kOwner, LogOf(0)).ok());
  grants_.ForgetRun(model::RunId(5));
  EXPECT_EQ(grants_.MayGet(kOwner, kAttempt, own_).code(), Code::kPermissionDenied);
  // Somebody has to look first whether there was such an attempt.
  EXPECT_EQ(grants_.MayLog(kOwner, LogOf(0)).code(), Code::kUnavailable);
  grants_.KnowRun(model::RunId(5));
  EXPECT_EQ(grants_.MayLog(kOwner, LogOf(0)).code(), Code::kPermissionDenied);
}

TEST_F(ChunkGrantsTest, ArtifactsAreTakenOnceByTheirWorker) {
  const base::Digest manifest = base::Sha256("manifest");
  grants_.Open({.key = kAttempt, .worker = kOwner}, {.artifacts = {manifest}, .steps = 2});
  EXPECT_TRUE(grants_.TakeArtifacts(model::WorkerId(99), kAttempt).empty());
  EXPECT_TRUE(grants_.TakeArtifacts(kOwner, kAttempt).contains(manifest));
  EXPECT_FALSE(grants_.TakeArtifacts(kOwner, kAttempt).contains(manifest));
  grants_.ReturnArtifact(kAttempt, manifest);
  EXPECT_TRUE(grants_.TakeArtifacts(kOwner, kAttempt).contains(manifest));
}

TEST_F(ChunkGrantsTest, DeclarationsAreBounded) {
  const std::vector<base::Digest> many(ChunkGrants::kDeclaredMax + 1);
  EXPECT_EQ(grants_.Declare(kOwner, kAttempt, many).code(), Code::kResourceExhausted);
}

}  // namespace
}  // namespace api::bulk
