// SPDX-License-Identifier: Apache-2.0
#include "apps/local_place.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dsl/pipeline_under_test.h"
#include "dsl/selection.h"

namespace apps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<dsl::Diagnostic> RefusalsOf(std::string_view text,
                                        const std::vector<std::string>& only = {}) {
  const engine::model::PlanRef plan = dsl::PlanOf(text);
  engine::model::WorkerOffer offer;
  offer.labels = {{"arch", "amd64"}, {"os", "linux"}};
  offer.resources.cpu_millis = 2000;
  const dsl::Event event{.name = {}, .branch = "main", .tag = {}, .changed = {}};
  return UnfitJobs(*plan, *dsl::NotSelected(*plan, only), event, {}, offer);
}

TEST(UnfitJobs, AreToldWithTheirPlaceAndWhatIsMissing) {
  const auto refusals = RefusalsOf(
      "jobs:\n"
      "  a: { steps: [x] }\n"
      "  b: { requires: { arch: arm64 }, resources: { cpu: 4 }, steps: [x] }\n"
      "  c: { steps: [x], services: { db: { image: postgres } } }\n");
  EXPECT_THAT(dsl::Brief(refusals),
              ElementsAre("no-fitting-worker 3:18", "no-fitting-worker 4:30"));
  EXPECT_EQ(refusals[0].message,
            "the job `b` cannot run here: this machine does not offer label arch=arm64, cpu: 4");
  EXPECT_THAT(refusals[0].hint, HasSubstr("dayfly submit"));
  EXPECT_EQ(refusals[0].file, "p.yml");
}

TEST(UnfitJobs, AreOnlyThoseThatWillBeReached) {
  constexpr std::string_view kText =
      "jobs:\n"
      "  off: { if: \"${{ branch == 'next' }}\", image: x, steps: [x] }\n"
      "  on: { if: \"${{ branch == 'main' }}\", image: x, steps: [x], outputs: { n: y } }\n"
      "  open: { needs: [on], if: \"${{ needs.on.outputs.n == '1' }}\", image: x, steps: [x] }\n"
      "  alarm: { needs: [{ job: on, on: failure }], image: x, steps: [x] }\n"
      "  after: { needs: [alarm], image: x, steps: [x] }\n"
      "  each: { needs: [on], for_each: \"${{ fromJSON(needs.on.outputs.n) }}\", image: x, steps: "
      "[x] }\n"
      "  always: { needs: [alarm], if: \"${{ always() }}\", image: x, steps: [x] }\n";
  EXPECT_THAT(dsl::Brief(RefusalsOf(kText)),
              ElementsAre("no-fitting-worker 3:47", "no-fitting-worker 8:59"));
}

TEST(UnfitJobs, AreNotThoseThatWereNotSelected) {
  constexpr std::string_view kText =
      "jobs: { a: { steps: [x] }, b: { network: none, steps: [x] } }\n";
  EXPECT_THAT(RefusalsOf(kText), testing::SizeIs(1));
  EXPECT_THAT(RefusalsOf(kText, {"a"}), IsEmpty());
}

TEST(UnfitJobs, AreNotThoseThatFit) {
  EXPECT_THAT(RefusalsOf("jobs: { a: { requires: [os], resources: { cpu: 2 }, sandbox: host, "
                         "network: host, steps: [x] } }\n"),
              IsEmpty());
}

}  // namespace
}  // namespace apps
