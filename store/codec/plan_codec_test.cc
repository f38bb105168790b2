// SPDX-License-Identifier: Apache-2.0
#include "store/codec/plan_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/sample_facts.h"

namespace store::codec {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using testing::HasSubstr;
using tests::support::AnyPlan;
using tests::support::PlainPlan;
using tests::support::SamePlan;

TEST(PlanCodec, GivesBackEveryMember) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    base::Random random(seed);
    const model::Plan plan = AnyPlan(random);
    const auto decoded = DecodePlan(EncodePlan(plan));
    ASSERT_TRUE(decoded.ok()) << decoded.status() << " seed " << seed;
    EXPECT_TRUE(SamePlan(**decoded, plan)) << "seed " << seed;
  }
}

TEST(PlanCodec, EqualPlansHaveEqualBytes) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    base::Random random(seed);
    const std::string bytes = EncodePlan(AnyPlan(random));
    const auto decoded = DecodePlan(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(EncodePlan(**decoded), bytes) << "seed " << seed;
    EXPECT_EQ(DigestOf(**decoded), DigestOfBytes(bytes));
  }
}

TEST(PlanCodec, DifferentPlansHaveDifferentDigests) {
  model::Plan plan = PlainPlan(3);
  const model::PlanDigest before = DigestOf(plan);
  plan.specs[1].steps[0].run.text = "false";
  EXPECT_NE(DigestOf(plan), before);
}

TEST(PlanCodec, SettingsThatAreAllDefaultsAreNoDifference) {
  model::Plan plan = PlainPlan(1);
  const model::PlanDigest before = DigestOf(plan);
  plan.specs[0].rare = std::make_unique<model::RareJobSettings>();
  EXPECT_EQ(DigestOf(plan), before);
}

// The digest of a plan is its name in every log that was ever written: this one may never change.
TEST(PlanCodec, DigestsStayAsTheyWereReleased) {
  EXPECT_EQ(ToHex(DigestOf(PlainPlan(2))),
            "5f32ae05e56190f2db06273a4367185b313ddbebcbe46e106b8cd680c91c4b26");
}

TEST(PlanCodec, SpendsFewBytesOnAPlainJob) {
  const std::size_t bytes = EncodePlan(PlainPlan(10'000)).size();
  RecordProperty("bytes_per_job", static_cast<int>(bytes / 10'000));
  EXPECT_LT(bytes / 10'000, 64U);
}

TEST(PlanCodec, NamesTheVersionThatIsTooNew) {
  std::string bytes = EncodePlan(PlainPlan(1));
  bytes[0] = static_cast<char>(kPlanVersion + 1);
  const auto decoded = DecodePlan(bytes);
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(base::Message(decoded.status())), HasSubstr("version 2"));
}

TEST(PlanCodec, MissingBytesNeverCrashAndNeverGiveThePlan) {
  base::Random random(21);
  const model::Plan plan = AnyPlan(random);
  const std::string bytes = EncodePlan(plan);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = DecodePlan(std::string_view(bytes).substr(0, size));
    EXPECT_TRUE(!decoded.ok() || !SamePlan(**decoded, plan)) << size << " bytes";
  }
}

TEST(PlanCodec, IndicesThatPointNowhereAreDamage) {
  model::Plan plan = PlainPlan(2);
  plan.jobs[1].spec = model::SpecIndex(7);
  EXPECT_EQ(DecodePlan(EncodePlan(plan)).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace store::codec
