// SPDX-License-Identifier: Apache-2.0
#include "engine/placement/groups.h"

#include <string>

#include <gtest/gtest.h>

namespace engine::placement {
namespace {

model::GroupClaim Claim(std::string name, std::uint32_t max = 1) {
  return {.group = {.kind = model::GroupKind::kJob, .name = std::move(name)}, .max = max};
}

Claimant Job(std::uint32_t job, std::vector<model::GroupClaim> claims) {
  return {.run = model::RunId(1), .job = model::JobIndex(job), .claims = std::move(claims)};
}

TEST(Groups, GiveAsMuchRoomAsThereIs) {
  Groups groups;
  for (std::uint32_t i = 1; i <= 3; ++i) {
    groups.Add(i, Job(i, {Claim("licence", 2)}));
  }
  ASSERT_TRUE(groups.MayEnter(1));
  groups.Admit(1);
  ASSERT_TRUE(groups.MayEnter(2));
  groups.Admit(2);
  EXPECT_FALSE(groups.MayEnter(3));
  groups.Remove(1);
  EXPECT_TRUE(groups.MayEnter(3));
}

TEST(Groups, LetNobodyOvertake) {
  Groups groups;
  groups.Add(1, Job(1, {Claim("a")}));
  groups.Add(2, Job(2, {Claim("a"), Claim("b")}));
  groups.Add(3, Job(3, {Claim("b")}));
  groups.Admit(1);
  EXPECT_FALSE(groups.MayEnter(2));
  EXPECT_FALSE(groups.MayEnter(3)) << "b is free, but 2 wants it and was there first";
  groups.Remove(1);
  EXPECT_TRUE(groups.MayEnter(2));
}

TEST(Groups, HoldAllOrNothing) {
  Groups groups;
  groups.Add(1, Job(1, {Claim("a")}));
  groups.Admit(1);
  groups.Add(2, Job(2, {Claim("a"), Claim("b")}));
  EXPECT_TRUE(groups.Of(Claim("b").group).holding.empty());
  EXPECT_EQ(groups.PlaceOf(Claim("b").group, 2), 1U);
}

TEST(Groups, AreKeptApartByKind) {
  Groups groups;
  Claimant run = Job(0, {{.group = {.kind = model::GroupKind::kRun, .name = "a"}}});
  run.job.reset();
  groups.Add(1, run);
  groups.Admit(1);
  EXPECT_TRUE(groups.IsFree(Claim("a")));
}

TEST(Groups, NumberTicketsAboveThoseInUse) {
  Groups groups;
  EXPECT_EQ(groups.Next(), 1U);
  groups.Add(7, Job(1, {Claim("a")}));
  EXPECT_EQ(groups.Next(), 8U);
  groups.Remove(7);
  EXPECT_EQ(groups.Next(), 1U);
  EXPECT_TRUE(groups.IsFree(Claim("a")));
}

}  // namespace
}  // namespace engine::placement
