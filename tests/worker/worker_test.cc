// SPDX-License-Identifier: Apache-2.0
// A repository, jobs in real workspaces with real processes, artifacts from one to the next.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/runner/runner_fixture.h"
#include "engine/model/log_segment.h"
#include "executors/sandboxes/host_sandbox.h"
#include "store/artifacts/archive.h"
#include "store/artifacts/local_store.h"
#include "store/git/local_git.h"

namespace tests::worker {
namespace {

namespace base = engine::base;
namespace fs = std::filesystem;
namespace model = engine::model;
namespace ports = engine::ports;
using agents::runner::If;
using agents::runner::Job;
using agents::runner::Step;
using agents::runner::Text;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Worker : public agents::runner::RunnerTest {
 protected:
  Worker() {
    run_folder_ = folder_ + "/run";
    repo_ = folder_ + "/repo";
    fs::create_directory(run_folder_);
    fs::create_directory(repo_);
    context_.workspace = run_folder_ + "/ws";
    store_ = *store::artifacts::LocalStore::Open(folder_ + "/chunks");
    archive_ = std::make_unique<store::artifacts::Archive>(*store_);
    git_ = *store::git::LocalGit::Open(
        {.objects_folder = folder_ + "/objects", .trees_folder = folder_ + "/trees"});
    options_.archive = archive_.get();
    options_.git = git_.get();
    options_.summary_folder = run_folder_ + "/summaries";
  }

  std::unique_ptr<ports::Sandbox> MakeSandbox(std::uint32_t slot) override {
    auto made = executors::sandboxes::StartHostSandbox(
        io_, {.run_folder = run_folder_, .slot = slot, .keeper_program = DAYFLY_KEEPER});
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *std::move(made) : nullptr;
  }

  void WriteFile(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(repo_ + "/" + path).parent_path());
    std::ofstream(repo_ + "/" + path, std::ios::binary) << text;
  }
  void Freeze() {
    const auto tree = git_->WriteWorkingTree(repo_);
    ASSERT_TRUE(tree.ok()) << tree.status();
    context_.tree = tree->tree;
    context_.commit = tree->commit;
    context_.branch = tree->branch;
    context_.source = repo_;
  }
  // `jobs[1]` needs all artifacts of `jobs[0]`.
  model::Assignment SecondOf(const model::ReportEnded& first, std::uint16_t artifacts) {
    model::Assignment assignment = For(1);
    auto result = std::make_shared<model::JobResult>();
    result->status = first.status;
    result->outputs = first.outputs;
    result->artifacts = first.artifacts;
    assignment.needs = {{.spec = model::SpecIndex(0), .status = first.status, .results = {result}}};
    EXPECT_EQ(assignment.plan->specs[1].needs.at(0).artifacts, artifacts);
    return assignment;
  }
  std::string LogOf(std::uint32_t job, std::uint32_t step) const {
    std::string text;
    for (const model::AttemptReported& message : sent_) {
      for (const model::Report& report : message.reports) {
        const auto* end = std::get_if<model::ReportStepEnded>(&report);
        if (end == nullptr || end->step != model::StepIndex(step) ||
            message.lease.key.job != model::JobIndex(job)) {
          continue;
        }
        for (const model::LogRange& range : end->log.ranges) {
          text += ReadFile(run_folder_ + "/logs/" + model::SegmentFileName(range.segment))
                      .substr(range.offset, range.length);
        }
      }
    }
    return text;
  }

  std::string run_folder_;
  std::string repo_;
  std::unique_ptr<store::artifacts::LocalStore> store_;
  std::unique_ptr<store::artifacts::Archive> archive_;
  std::unique_ptr<store::git::LocalGit> git_;
};

TEST_F(Worker, EachJobSeesTheRecordedFilesAndNobodyElses) {
  WriteFile("src/a.c", "int a;\n");
  Freeze();
  WriteFile("src/a.c", "changed after the run began\n");
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("first", {Step("cat src/a.c; echo x > src/a.c; touch left")}));
  jobs.push_back(Job("second", {Step("cat src/a.c; ls")}));
  SetPlan(std::move(jobs));
  runner().Dispatch(For(0));
  runner().Dispatch(For(1));
  RunUntilEnded(2);
  EXPECT_EQ(LogOf(0, 0), "int a;\n");
  EXPECT_EQ(LogOf(1, 0), "int a;\nsrc\n");
  EXPECT_EQ(ReadFile(repo_ + "/src/a.c"), "changed after the run began\n");
}

TEST_F(Worker, AJobWithoutCheckoutHasAnEmptyWorkspace) {
  WriteFile("a", "1");
  Freeze();
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("job", {Step("ls -A")}));
  jobs[0].rare->checkout.enabled = false;
  RunJob(std::move(jobs));
  EXPECT_EQ(Ended().status, model::Status::kSucceeded);
  EXPECT_EQ(LogOf(0, 0), "");
}

TEST_F(Worker, ArtifactsArriveAtTheSamePathWithTimesAndModes) {
  WriteFile("src", "s");
  Freeze();
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("build", {Step("mkdir -p out/bin && echo '#!/bin/sh\necho hello' > out/bin/app"
                                    " && chmod 750 out/bin/app && ln -s bin/app out/link"
                                    " && touch -d @1500000000.25 out/bin/app")}));
  jobs[0].rare->uploads = {{.name = "bin-${{ branch }}", .paths = {"out"}}};
  jobs.push_back(Job("test", {Step("./out/link && stat -c '%a %.2Y' out/bin/app")}));
  jobs[1].needs = {{.spec = model::SpecIndex(0), .artifacts = 1}};
  RunJob(std::move(jobs));
  ASSERT_EQ(Ended(0).artifacts.size(), 1u) << Describe(Ended(0).reason);
  EXPECT_EQ(Ended(0).artifacts[0].name, "bin-");
  EXPECT_EQ(Ended(0).artifacts[0].files, 2u);
  runner().Dispatch(SecondOf(Ended(0), 1));
  RunUntilEnded(2);
  EXPECT_EQ(LogOf(1, 0), "hello\n750 1500000000.25\n");
}

TEST_F(Worker, AMissingArtifactIsTheAuthorsFailure) {
  Freeze();
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("build", {Step("true")}));
  jobs[0].rare->uploads = {{.name = "bin", .paths = {"out/app"}}};
  jobs[0].rare->finally_steps = {Step("echo cleaned")};
  jobs.push_back(Job("test", {Step("true")}));
  jobs[1].needs = {{.spec = model::SpecIndex(0), .artifacts = 2}};
  jobs[1].rare->need_artifacts = {{"bin"}};
  RunJob(std::move(jobs));
  EXPECT_EQ(Ended(0).reason.code, model::ReasonCode::kArtifactMissing);
  EXPECT_THAT(Ended(0).reason.subject, HasSubstr("'bin': no file matches 'out/app'"));
  EXPECT_FALSE(Ended(0).infra);
  EXPECT_EQ(LogOf(0, 1), "cleaned\n");

  model::ReportEnded well = Ended(0);
  well.status = model::Status::kSucceeded;
  runner().Dispatch(SecondOf(well, 2));
  RunUntilEnded(2);
  EXPECT_EQ(Ended(1).reason.code, model::ReasonCode::kArtifactMissing);
  EXPECT_THAT(Ended(1).reason.subject, HasSubstr("'bin' of job build"));
}

TEST_F(Worker, TwoUploadsThatTurnOutToHaveOneNameFailTheJob) {
  Freeze();
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("build", {Step("echo 1 > a")}));
  jobs[0].rare->uploads = {{.name = "bin", .paths = {"a"}},
                           {.name = "${{ 'b' }}in", .paths = {"a"}}};
  RunJob(std::move(jobs));
  EXPECT_EQ(Ended(0).status, model::Status::kFailed);
  EXPECT_FALSE(Ended(0).infra);
  EXPECT_THAT(Ended(0).reason.subject, HasSubstr("two uploads of this job are named 'bin'"));
  EXPECT_TRUE(Ended(0).artifacts.empty());
}

TEST_F(Worker, ALostArtifactIsAnInfrastructureFailure) {
  Freeze();
  std::vector<model::JobSpec> jobs;
  jobs.push_back(Job("build", {Step("echo 1 > a")}));
  jobs[0].rare->uploads = {{.name = "bin", .paths = {"a"}}};
  jobs.push_back(Job("test", {Step("true")}));
  jobs[1].needs = {{.spec = model::SpecIndex(0), .artifacts = 1}};
  RunJob(std::move(jobs));
  fs::remove_all(folder_ + "/chunks");
  runner().Dispatch(SecondOf(Ended(0), 1));
  RunUntilEnded(2);
  EXPECT_TRUE(Ended(1).infra);
  EXPECT_EQ(Ended(1).reason.code, model::ReasonCode::kSetupFailed);
  EXPECT_THAT(Ended(1).reason.subject, HasSubstr("'bin'"));
}

TEST_F(Worker, FilesAreHashedInTheWorkspaceOfTheStep) {
  WriteFile("lock/a", "one");
  Freeze();
  RunJob({Step("echo '${{ hashFiles('lock/**') }}'"), Step("echo more >> lock/a"),
          Step("echo '${{ hashFiles('lock/**') }}' '${{ hashFiles('none') }}'")});
  EXPECT_EQ(Ended().status, model::Status::kSucceeded) << Describe(Ended().reason);
  EXPECT_EQ(LogOf(0, 0).size(), 65u);
  EXPECT_EQ(LogOf(0, 2).size(), 66u);
  EXPECT_NE(LogOf(0, 0), LogOf(0, 2));
}

TEST_F(Worker, SummariesAreKept) {
  Freeze();
  RunJob({Step("true"), Step("echo '# Done' >> $DAYFLY_SUMMARY")});
  CloseRunner();
  EXPECT_EQ(ReadFile(run_folder_ + "/summaries/1.1.2.md"), "# Done\n");
}

TEST_F(Worker, NoFileHoldsTheValueOfASecretOrMask) {
  Freeze();
  secrets_.values["TOKEN"] = "sesame-open-sesame";
  model::StepSpec step = Step("echo \"$TOKEN\"; printf '%s' \"$TOKEN\" | base64; set -x; : $TOKEN");
  step.env = {{.name = "TOKEN", .value = Text("${{ secrets.TOKEN }}")}};
  model::StepSpec script = Step("print('${{ secrets.TOKEN }}'[::-1].upper())");
  script.shell = "python3";
  RunJob({step, Step("v=masked; echo $v-by-the-step >> $DAYFLY_MASK"),
          Step("v=masked; echo $v-by-the-step"), script});
  EXPECT_EQ(LogOf(0, 0), "***\n***\n+ : ***\n");
  EXPECT_EQ(LogOf(0, 2), "***\n");
  CloseRunner();
  for (const auto& entry : fs::recursive_directory_iterator(run_folder_)) {
    if (entry.is_regular_file()) {
      EXPECT_THAT(ReadFile(entry.path()), Not(HasSubstr("sesame-open"))) << entry.path();
      EXPECT_THAT(ReadFile(entry.path()), Not(HasSubstr("masked-by"))) << entry.path();
    }
  }
}

TEST_F(Worker, GitTellsOfTheRecordedState) {
  if (std::system("git --version >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "the git program is missing";
  }
  WriteFile("a", "1\n");
  const std::string make = "cd " + repo_ +
                           " && git init -q -b trunk . && git add -A && git -c user.name=a -c "
                           "user.email=b commit -q -m first && git tag v1";
  ASSERT_EQ(std::system(make.c_str()), 0);
  WriteFile("a", "2\n");
  WriteFile("new", "3\n");
  Freeze();
  RunJob(
      {Step("git status --porcelain; git describe --tags; git branch --show-current"),
       Step("git -c user.name=a -c user.email=b commit -q -a -m step && git log --oneline | wc -l"),
       Step("test \"$(git rev-parse HEAD~1)\" = $DAYFLY_COMMIT")});
  EXPECT_EQ(LogOf(0, 0), " M a\n?? new\nv1\ntrunk\n");
  EXPECT_EQ(LogOf(0, 1), "2\n");
  EXPECT_EQ(Ended().status, model::Status::kSucceeded);
}

TEST_F(Worker, ATreeThatIsGoneIsAnInfrastructureFailureThatNamesIt) {
  context_.tree = std::string(40, 'a');
  RunJob({Step("true")});
  EXPECT_TRUE(Ended().infra);
  EXPECT_THAT(Ended().reason.subject, HasSubstr("aaaa"));
}

}  // namespace
}  // namespace tests::worker
