// SPDX-License-Identifier: Apache-2.0
#include "api/agents/enrolment.h"

#include <gtest/gtest.h>

#include "store/memory/memory_worker_registry.h"

namespace api::agents {
namespace {

namespace base = engine::base;
namespace model = engine::model;

class EnrolmentTest : public testing::Test {
 protected:
  Enrolment::Application With(const std::string& token) const {
    return {.join_token = token, .certificate_request = request_, .host = "box"};
  }
  absl::StatusCode TryToken(const std::string& token, base::Instant at) {
    return enrolment_.Register(With(token), at, 1).status().code();
  }

  base::Instant now_ = base::InstantFromMicros(1'800'000'000'000'000);
  std::string request_ = *wire::MakeRequest(*wire::MakeKey());
  store::memory::MemoryWorkerRegistry registry_;
  Enrolment enrolment_{*wire::MakeAuthority("test", now_), registry_};
};

TEST_F(EnrolmentTest, ATokenGivesACertificateOfThePool) {
  const std::string token = *enrolment_.MakeToken("fast", "fast-1-1", now_);
  const auto enrolled = enrolment_.Register(With(token), now_, 77);
  ASSERT_TRUE(enrolled.ok()) << enrolled.status();
  EXPECT_EQ(enrolled->pool, "fast");
  EXPECT_TRUE(wire::VerifySignedBy(enrolled->authority, enrolled->certificate, now_).ok());
  EXPECT_EQ(wire::ReadCertificate(enrolled->certificate)->identity->worker, enrolled->worker);
  EXPECT_EQ(registry_.Find(enrolled->worker)->launch, "fast-1-1");
}

TEST_F(EnrolmentTest, WrongReplayedAndExpiredTokensAreRefusedAlike) {
  const std::string used = *enrolment_.MakeToken("p", "", now_);
  ASSERT_TRUE(enrolment_.Register(With(used), now_, 1).ok());
  EXPECT_EQ(TryToken(used, now_), absl::StatusCode::kPermissionDenied);
  const std::string old = *enrolment_.MakeToken("p", "", now_);
  EXPECT_EQ(TryToken(old, now_ + wire::kJoinTokenLife), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(TryToken(wire::ToText(*wire::DrawJoinToken({})), now_),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(TryToken("nonsense", now_), absl::StatusCode::kInvalidArgument);
}

TEST_F(EnrolmentTest, ABadRequestLeavesTheTokenGood) {
  const std::string token = *enrolment_.MakeToken("p", "", now_);
  Enrolment::Application bad = With(token);
  bad.certificate_request = "nonsense";
  EXPECT_EQ(enrolment_.Register(bad, now_, 1).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(enrolment_.Register(With(token), now_, 1).ok());
}

TEST_F(EnrolmentTest, TakesAnotherNumberWhenOneIsTaken) {
  const auto first = enrolment_.Register(With(*enrolment_.MakeToken("p", "", now_)), now_, 1);
  const auto second = enrolment_.Register(With(*enrolment_.MakeToken("p", "", now_)), now_, 1);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->worker, second->worker);
}

TEST_F(EnrolmentTest, RenewsWhoIsNotRetired) {
  const auto worker = enrolment_.Register(With(*enrolment_.MakeToken("p", "", now_)), now_, 1);
  const base::Instant later = now_ + std::chrono::hours(12);
  const auto renewed = enrolment_.Renew(worker->worker, request_, later);
  ASSERT_TRUE(renewed.ok()) << renewed.status();
  EXPECT_EQ(wire::ReadCertificate(renewed->certificate)->valid_to, later + wire::kWorkerLife);
  ASSERT_TRUE(registry_.Retire(worker->worker).ok());
  EXPECT_EQ(enrolment_.Renew(worker->worker, request_, later).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(enrolment_.Renew(model::WorkerId(5), request_, later).status().code(),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace api::agents
