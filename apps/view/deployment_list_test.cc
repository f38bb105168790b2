// SPDX-License-Identifier: Apache-2.0
#include "apps/view/deployment_list.h"

#include <gtest/gtest.h>

namespace apps::view {
namespace {

constexpr base::Instant kAt = base::InstantFromMicros(1'769'862'896'000'000);
constexpr Look kPlain{.color = false, .unicode = true};

ListedDeployment Listed(model::Status status, const char* run) {
  model::Deployment of;
  of.environment = "production";
  of.url = "https://example.org";
  of.run = *model::RunIdFromText(run);
  of.job_name = "deploy[eu]";
  of.pipeline = "ci";
  of.source = "/app";
  of.commit = "4f1c0123456789abcdef";
  of.branch = "main";
  of.event = "manual";
  of.by = "anna";
  of.status = status;
  of.queued_at = kAt;
  of.started_at = kAt + std::chrono::seconds(1);
  if (model::IsFinal(status)) {
    of.ended_at = kAt + std::chrono::seconds(3);
  }
  return {.deployment = of};
}

std::vector<ListedDeployment> Three() {
  ListedDeployment running = Listed(model::Status::kRunning, "01jd2m0q4x7zm");
  ListedDeployment failed = Listed(model::Status::kFailed, "01jd2m0q4x7zk");
  failed.deployment.reason = {.code = model::ReasonCode::kExitCode, .detail = 2};
  ListedDeployment current = Listed(model::Status::kSucceeded, "01jd2m0q4x7za");
  current.deployment.is_current = true;
  return {running, failed, current};
}

TEST(DeploymentList, ALineEachAndWhyItEndedSo) {
  EXPECT_EQ(DeploymentsText(Three(), kAt + std::chrono::seconds(11), kPlain),
            "    ● running     2026-01-31T12:34      10s  01jd2m0q4x7zm  deploy[eu]        ci      "
            "        "
            "  main 4f1c01234567  by anna  /app  https://example.org\n"
            "    ✗ failed      2026-01-31T12:34     2.0s  01jd2m0q4x7zk  deploy[eu]        ci      "
            "        "
            "  main 4f1c01234567  by anna  /app  https://example.org\n"
            "      exit code 2\n"
            "now ✓ succeeded   2026-01-31T12:34     2.0s  01jd2m0q4x7za  deploy[eu]        ci      "
            "        "
            "  main 4f1c01234567  by anna  /app  https://example.org\n");
}

TEST(DeploymentList, AnOverviewSaysWhatIsThereAndWhatIsNewer) {
  const std::vector<ListedDeployment> all = Three();
  EXPECT_EQ(EnvironmentsText(std::vector{all[1], all[2]}, kAt, kPlain),
            "production  /app  https://example.org\n"
            "  now     ✓ succeeded   2026-01-31T12:34     2.0s  01jd2m0q4x7za  deploy[eu]        ci"
            "                main 4f1c01234567  by anna\n"
            "  newest  ✗ failed      2026-01-31T12:34     2.0s  01jd2m0q4x7zk  deploy[eu]        ci"
            "                main 4f1c01234567  by anna\n"
            "            exit code 2\n");
}

TEST(DeploymentList, OneThatWasLeftSaysSo) {
  ListedDeployment left = Listed(model::Status::kRunning, "01jd2m0q4x7zm");
  left.left = true;
  EXPECT_EQ(DeploymentsText(std::vector{left}, kAt, kPlain).substr(0, 18), "    ● unfinished");
}

TEST(DeploymentList, TextOfOthersIsMadeSafe) {
  ListedDeployment listed = Listed(model::Status::kSucceeded, "01jd2m0q4x7zm");
  listed.deployment.branch = "\x1b[31mred";
  EXPECT_EQ(DeploymentsText(std::vector{listed}, kAt, kPlain).find('\x1b'), std::string::npos);
}

TEST(DeploymentList, JsonHasTheSameMembersAlways) {
  ListedDeployment waiting = Listed(model::Status::kWaiting, "01jd2m0q4x7zm");
  waiting.deployment.started_at.reset();
  waiting.deployment.url.clear();
  EXPECT_EQ(DeploymentsJson(std::vector{waiting, Three()[1]}),
            R"({"environment":"production","status":"waiting","alive":true,"current":false,)"
            R"("reason":null,"message":null,"run":"01jd2m0q4x7zm","job":"deploy[eu]",)"
            R"("pipeline":"ci","source":"/app","commit":"4f1c0123456789abcdef","branch":"main",)"
            R"("event":"manual","by":"anna","queued_at":"2026-01-31T12:34:56.000000Z",)"
            R"("started_at":null,"ended_at":null,"took_us":null,"url":null})"
            "\n"
            R"({"environment":"production","status":"failed","alive":false,"current":false,)"
            R"("reason":"exit_code","message":"exit code 2","run":"01jd2m0q4x7zk",)"
            R"("job":"deploy[eu]","pipeline":"ci","source":"/app",)"
            R"("commit":"4f1c0123456789abcdef","branch":"main","event":"manual","by":"anna",)"
            R"("queued_at":"2026-01-31T12:34:56.000000Z",)"
            R"("started_at":"2026-01-31T12:34:57.000000Z",)"
            R"("ended_at":"2026-01-31T12:34:59.000000Z","took_us":2000000,)"
            R"("url":"https://example.org"})"
            "\n");
}

TEST(DeploymentList, AnEnvironmentWithoutASuccessHasNothingNow) {
  const std::string json = EnvironmentsJson(std::vector{Three()[1]});
  EXPECT_EQ(json.substr(0, 80),
            R"({"environment":"production","source":"/app","current":null,"newest":{"environmen)");
}

}  // namespace
}  // namespace apps::view
