// SPDX-License-Identifier: Apache-2.0
#include "dsl/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dsl {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// lint; build; unit needs build; deploy needs unit; docs
model::Plan FivePlan() {
  model::Plan plan;
  for (const char* name : {"lint", "build", "unit", "deploy", "docs"}) {
    model::JobSpec spec;
    spec.name = name;
    plan.specs.push_back(std::move(spec));
    plan.jobs.push_back(
        {.spec = model::SpecIndex(static_cast<std::uint32_t>(plan.jobs.size())), .cell = {}});
  }
  plan.specs[2].needs.push_back({.spec = model::SpecIndex(1)});
  plan.specs[3].needs.push_back({.spec = model::SpecIndex(2)});
  return plan;
}

TEST(NotSelected, KeepsWhatASelectedJobNeedsDirectlyOrNot) {
  const model::Plan plan = FivePlan();
  EXPECT_THAT(*NotSelected(plan, {"deploy"}),
              ElementsAre(model::SpecIndex(0), model::SpecIndex(4)));
  EXPECT_THAT(*NotSelected(plan, {"lint", "docs"}),
              ElementsAre(model::SpecIndex(1), model::SpecIndex(2), model::SpecIndex(3)));
}

TEST(NotSelected, LeavesNothingOutWithoutNames) {
  EXPECT_THAT(*NotSelected(FivePlan(), {}), IsEmpty());
}

TEST(NotSelected, SaysWhatWasProbablyMeant) {
  const auto status = NotSelected(FivePlan(), {"deplyo"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(base::Message(status)), HasSubstr("did you mean 'deploy'?"));
}

}  // namespace
}  // namespace dsl
