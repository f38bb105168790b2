// SPDX-License-Identifier: Apache-2.0
// Jobs that ask for what this machine does not have: told before anything runs, or failed when
// their turn comes; never run all the same.
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bad_input/bad_input_scene.h"

namespace tests::bad_input {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Place : public BadInput {
 protected:
  bool Ran(const std::string& name) const { return std::filesystem::exists(shared() + "/" + name); }
};

TEST_F(Place, WhatThisMachineDoesNotOfferIsToldBeforeAnythingRuns) {
  WriteJobs(
      "  a: { steps: ['touch $SHARED/ran'] }\n"
      "  b: { needs: [a], requires: { kind: odd }, image: gcc, steps: ['touch $SHARED/ran'] }\n"
      "  c: { needs: [a], network: none, steps: ['touch $SHARED/ran'] }\n");
  const Outcome run = RunPipeline();
  EXPECT_EQ(run.exit_code, 2) << run.errors;
  EXPECT_THAT(run.errors,
              HasSubstr("p.yml:4:30: error[no-fitting-worker]: the job `b` cannot run here: this "
                        "machine does not offer label kind=odd, sandbox container"));
  EXPECT_THAT(run.errors, HasSubstr("p.yml:5:29: error[no-fitting-worker]: the job `c` cannot run "
                                    "here: this machine does not offer a sandbox that cuts off"));
  EXPECT_THAT(run.errors, HasSubstr("dayfly submit"));
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_THAT(Runs(), IsEmpty());
  EXPECT_FALSE(Ran("ran"));
}

TEST_F(Place, ValidateAndPlanTakeItForWhatItIs) {
  WriteJobs("  b: { requires: [odd], resources: { cpu: 512, gpu: 4 }, image: gcc, steps: [x] }\n");
  const Outcome checked = Dayfly({"validate", "p.yml"});
  EXPECT_EQ(checked.exit_code, 0);
  EXPECT_THAT(checked.errors, IsEmpty());
  EXPECT_EQ(Dayfly({"plan", "p.yml"}).exit_code, 0);
}

TEST_F(Place, AJobThatWasNotSelectedStopsNobody) {
  WriteJobs(
      "  a: { steps: ['touch $SHARED/ran'] }\n"
      "  b: { sandbox: vm, steps: ['touch $SHARED/no'] }\n");
  EXPECT_EQ(Dayfly({"run", "p.yml", "--only", "a", "--output", "json"}).exit_code, 0);
  EXPECT_TRUE(Ran("ran"));
}

TEST_F(Place, AJobThatOnlyTheRunDecidesAboutFailsWhenItsTurnComes) {
  const std::string jobs =
      "  a: { steps: [{ id: s, run: 'echo go=$GO >> $DAYFLY_OUTPUT' }], "
      "outputs: { go: '${{ steps.s.outputs.go }}' }, env: { GO: '%' } }\n"
      "  b: { needs: [a], if: \"${{ needs.a.outputs.go == 'yes' }}\", network: none, "
      "steps: ['touch $SHARED/ran'] }\n";
  const auto with = [&jobs](const std::string& go) {
    std::string text = jobs;
    return text.replace(text.find('%'), 1, go);
  };
  WriteJobs(with("no"));
  EXPECT_EQ(RunPipeline().exit_code, 0) << Errors();
  WriteJobs(with("yes"));
  const Outcome run = RunPipeline();
  EXPECT_EQ(run.exit_code, 1) << run.errors;
  EXPECT_THAT(run.out, HasSubstr("nothing_fits"));
  EXPECT_THAT(Dayfly({"show", "latest"}).out,
              HasSubstr("this machine does not offer a sandbox that cuts off the network"));
  EXPECT_FALSE(Ran("ran"));
}

TEST_F(Place, WhatThisMachineOffersRuns) {
  WriteJobs(
      "  a: { requires: { os: linux }, resources: { cpu: 0.5, memory: 1MiB, disk: 1KiB }, "
      "sandbox: host, network: host, steps: ['touch $SHARED/ran'] }\n");
  EXPECT_EQ(RunPipeline().exit_code, 0) << Errors();
  EXPECT_TRUE(Ran("ran"));
}

}  // namespace
}  // namespace tests::bad_input
