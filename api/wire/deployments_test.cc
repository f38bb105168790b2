// SPDX-License-Identifier: Apache-2.0
#include "api/wire/deployments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace api::wire {
namespace {

namespace base = engine::base;
namespace model = engine::model;
using ::testing::HasSubstr;

model::Deployment Sample() {
  return {.environment = "production",
          .url = "https://example.org",
          .run = *model::RunIdFromText("01jd2m0q4x7zk"),
          .job = model::JobIndex(3),
          .job_name = "deploy[eu]",
          .pipeline = "ci",
          .source = "/app\xff",
          .commit = "4f1c",
          .branch = "main",
          .event = "push",
          .by = "anna",
          .status = model::Status::kFailed,
          .reason = {.code = model::ReasonCode::kExitCode, .detail = 2},
          .queued_at = base::InstantFromMicros(5),
          .started_at = base::InstantFromMicros(6),
          .ended_at = base::InstantFromMicros(7),
          .is_current = true};
}

TEST(WireDeployments, EveryMemberComesThrough) {
  for (const model::Deployment& sample : {Sample(), model::Deployment{.run = model::RunId(1)}}) {
    pb::Deployment message;
    ToWire(sample, &message);
    const auto back = DeploymentFrom(message);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, sample);
  }
  pb::Deployment message;
  ToWire(Sample(), &message);
  const auto* type = message.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    EXPECT_TRUE(message.GetReflection()->HasField(message, type->field(i)))
        << type->field(i)->name() << " is forgotten";
  }
}

TEST(WireDeployments, ARequestIsCheckedFieldByField) {
  const model::DeploymentFilter filter{
      .limit = 7, .environment = "production", .is_overview = true};
  const auto back = DeploymentFilterFrom(ToWire(filter));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->limit, 7U);
  EXPECT_EQ(back->environment, "production");
  EXPECT_TRUE(back->is_overview);
  EXPECT_EQ(DeploymentFilterFrom({})->limit, 50U);
  pb::ListDeploymentsRequest request;
  request.set_limit(1001);
  EXPECT_THAT(std::string(base::Message(DeploymentFilterFrom(request).status())),
              HasSubstr("limit: 1001, at most 1000"));
  request.set_limit(1);
  request.set_environment(std::string(4097, 'x'));
  EXPECT_THAT(std::string(base::Message(DeploymentFilterFrom(request).status())),
              HasSubstr("environment: 4097 bytes"));
}

}  // namespace
}  // namespace api::wire
