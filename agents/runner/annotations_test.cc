// SPDX-License-Identifier: Apache-2.0
// What steps say by log commands, from real processes into a real store.
#include <filesystem>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/reports/annotation_document.h"
#include "agents/runner/host_fixture.h"
#include "store/artifacts/archive.h"
#include "store/artifacts/local_store.h"

namespace agents::runner {
namespace {

namespace base = engine::base;
namespace model = engine::model;
namespace ports = engine::ports;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class AnnotationsOfJobs : public HostRunnerTest {
 protected:
  AnnotationsOfJobs() {
    store_ = *store::artifacts::LocalStore::Open(folder_ + "/chunks");
    archive_ = std::make_unique<store::artifacts::Archive>(*store_);
    options_.archive = archive_.get();
  }
  std::string Document() const {
    const auto& totals = Ended().remarks.annotations;
    const auto bytes =
        totals ? store_->Get(totals->document) : base::NotFound("the job has no annotations");
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    return bytes.value_or("");
  }
  model::Annotations Kept() const {
    return reports::DecodeAnnotations(Document()).value_or(model::Annotations{});
  }

  std::unique_ptr<store::artifacts::LocalStore> store_;
  std::unique_ptr<store::artifacts::Archive> archive_;
};

TEST_F(AnnotationsOfJobs, AreKeptFromAllStepsAlsoWhenTheJobFails) {
  model::JobSpec job = Job("job", {Step("echo ::notice::begun"),
                                   Step("echo \"::error file=$DAYFLY_WORKSPACE/src/a.c,line=3,"
                                        "col=7::boom%0Ain two lines\"; exit 1"),
                                   Step("echo ::error::never said")});
  job.rare->finally_steps = {Step("echo ::warning title=T::at the end")};
  std::vector<model::JobSpec> jobs;
  jobs.push_back(std::move(job));
  RunJob(std::move(jobs));
  EXPECT_EQ(Ended().status, model::Status::kFailed);
  const model::Annotations kept = Kept();
  EXPECT_EQ(kept.counts, (model::AnnotationCounts{1, 1, 1}));
  ASSERT_EQ(kept.list.size(), 3U);
  EXPECT_EQ(kept.list[0].message, "begun");
  EXPECT_EQ(kept.list[1].step, model::StepIndex(1));
  EXPECT_EQ(kept.list[1].file, "src/a.c");
  EXPECT_EQ(kept.list[1].message, "boom\nin two lines");
  EXPECT_EQ(kept.list[2].step, model::StepIndex(3));
  EXPECT_EQ(kept.list[2].title, "T");
  EXPECT_EQ(Ended().remarks.annotations->counts, kept.counts);
  EXPECT_THAT(Ended().remarks.annotations->errors, ElementsAre("boom (src/a.c:3:7)"));
}

TEST_F(AnnotationsOfJobs, GiveNoSecretAwayHoweverItIsEscaped) {
  secrets_.values["TOKEN"] = "p@ss%w!rd\nsecond line";
  secrets_.values["OTHER"] = "a:b,c%d-more";
  // The second is escaped as nobody would: no form that is looked for in logs.
  RunJob(
      {Step("echo '${{ secrets.TOKEN }}${{ secrets.OTHER }}' > /dev/null; "
            "printf '%s\\n' '::error file=p@ss%25w!rd%0Asecond line::it is "
            "p@ss%25w!rd%0Asecond line' '::error file=a%3Ab%2Cc%d-more::x'")});
  ASSERT_EQ(Ended().status, model::Status::kSucceeded);
  EXPECT_THAT(Document(), Not(HasSubstr("w!rd")));
  EXPECT_THAT(Document(), Not(HasSubstr("-more")));
  const model::Annotations kept = Kept();
  ASSERT_EQ(kept.list.size(), 2U);
  EXPECT_EQ(kept.list[0].message, "it is ***");
  EXPECT_EQ(kept.list[0].file, "***");
  EXPECT_EQ(kept.list[1].file, "***");
  EXPECT_THAT(Ended().remarks.annotations->errors, ElementsAre("it is *** (***)", "x (***)"));
}

TEST_F(AnnotationsOfJobs, TooManyAreCounted) {
  RunJob({Step("i=0; while [ $i -lt 150 ]; do echo ::warning::w$i; i=$((i+1)); done"),
          Step("echo ::error::e")});
  const model::Annotations kept = Kept();
  EXPECT_EQ(kept.counts, (model::AnnotationCounts{1, 150, 0}));
  EXPECT_EQ(kept.list.size(), 101U);
  EXPECT_EQ(kept.list.back().message, "e");
}

TEST_F(AnnotationsOfJobs, AreKeptOfACancelledJob) {
  const std::string up = folder_ + "/up";
  ASSERT_EQ(mkfifo(up.c_str(), 0600), 0);
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {Step("echo ::error::found; echo x > " + up + "; exec sleep 1000")}));
  SetPlan(std::move(jobs));
  runner().Dispatch(For(0));
  const auto started = [&] { return !sent_.empty() && Story().back() == "step 1 started"; };
  RunUntil(started);
  EXPECT_EQ(ReadFile(up), "x\n");
  runner().Stop(StopOf(0));
  RunUntilEnded();
  EXPECT_EQ(Ended().status, model::Status::kCancelled);
  EXPECT_THAT(Ended().remarks.annotations->errors, ElementsAre("found"));
}

TEST_F(AnnotationsOfJobs, WithoutAStoreANoteSaysSo) {
  options_.archive = nullptr;
  RunJob({Step("echo ::error::found")});
  EXPECT_EQ(Ended().status, model::Status::kSucceeded);
  EXPECT_FALSE(Ended().remarks.annotations.has_value());
  EXPECT_THAT(Ended().remarks.notes,
              ElementsAre("1 annotations could not be kept: there is no artifact store"));
}

TEST_F(AnnotationsOfJobs, AJobThatSaysNothingHasNone) {
  RunJob({Step("echo hello; echo '::group::x'; echo '::debug::y'")});
  EXPECT_TRUE(Ended().remarks.empty());
}

}  // namespace
}  // namespace agents::runner
