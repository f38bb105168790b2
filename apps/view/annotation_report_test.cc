// SPDX-License-Identifier: Apache-2.0
#include "apps/view/annotation_report.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/view/sample_run.h"

namespace apps::view {
namespace {

using model::Severity;
using ::testing::HasSubstr;
using ::testing::Not;

class AnnotationReport : public ::testing::Test {
 protected:
  JobAnnotations Sample() const {
    JobAnnotations job;
    job.job = "compile";
    job.spec = &plan_->specs[0];
    job.totals.counts = {2, 1, 0};
    job.list = {{.step = model::StepIndex(1),
                 .severity = Severity::kWarning,
                 .title = "Lint",
                 .message = "unused\nsince then"},
                {.step = model::StepIndex(0),
                 .severity = Severity::kError,
                 .file = "a.c",
                 .line = 3,
                 .message = "\x1b[31mboom\x1b[0m"}};
    return job;
  }

  model::PlanRef plan_ = SamplePlan();
};

TEST_F(AnnotationReport, ListsAllOfEachJob) {
  EXPECT_EQ(AnnotationReportText("01JR", {Sample()}, {.unicode = true}),
            "run 01JR: 2 errors, 1 warning\n"
            "\n"
            "compile  2 errors, 1 warning\n"
            "  ! warning: Lint: unused  step 2\n"
            "      since then\n"
            "  ✗ error: boom (a.c:3)  step make\n"
            "  1 are not listed: there were too many\n");
}

TEST_F(AnnotationReport, SaysWhenThereIsNothingAndWhatIsGone) {
  EXPECT_THAT(AnnotationReportText("01JR", {}, {}), HasSubstr("no step made annotations"));
  JobAnnotations gone = Sample();
  gone.list.clear();
  gone.missing = "there is no chunk ab";
  EXPECT_THAT(AnnotationReportText("01JR", {gone}, {}),
              HasSubstr("they cannot be shown: there is no chunk ab"));
}

TEST_F(AnnotationReport, GivesProgramsEachWithAllMembers) {
  EXPECT_EQ(
      AnnotationReportJson("01JR", {Sample()}),
      R"({"run":"01JR","errors":2,"warnings":1,"notices":0,"jobs":[{"job":"compile","errors":2,)"
      R"("warnings":1,"notices":0,"omitted":1,"missing":null,"annotations":[)"
      R"({"step":"2","severity":"warning","file":null,"line":null,"end_line":null,"column":null,)"
      R"("end_column":null,"title":"Lint","message":"unused\nsince then"},)"
      R"({"step":"make","severity":"error","file":"a.c","line":3,"end_line":null,"column":null,)"
      R"("end_column":null,"title":null,"message":"\u001b[31mboom\u001b[0m"}]}]})"
      "\n");
}

TEST_F(AnnotationReport, BelowARunErrorsComeFirst) {
  EXPECT_EQ(AnnotationsBlock("01JR", {2, 1, 0}, {Sample()}, {.unicode = false}),
            "\n"
            "annotations  2 errors, 1 warning\n"
            "  x error: boom (a.c:3)  compile, step make\n"
            "  ! warning: Lint: unused  compile, step 2\n"
            "      since then\n"
            "  and 1 more: dayfly show 01JR --annotations\n");
  EXPECT_EQ(AnnotationsBlock("01JR", {}, {}, {}), "");
}

TEST_F(AnnotationReport, BelowARunThereAreNotTooMany) {
  JobAnnotations job = Sample();
  job.list.assign(100, job.list[0]);
  job.list.push_back({.severity = Severity::kError, .message = "last"});
  const std::string block = AnnotationsBlock("01JR", {1, 100, 0}, {job}, {});
  EXPECT_THAT(block, HasSubstr("error: last"));
  EXPECT_THAT(block, HasSubstr("and 81 more"));
}

TEST_F(AnnotationReport, AStepThatIsNotThereHasANumber) {
  JobAnnotations job = Sample();
  job.list[0].step = model::StepIndex(99);
  EXPECT_THAT(AnnotationReportText("01JR", {job}, {}), HasSubstr("step 100"));
}

}  // namespace
}  // namespace apps::view
