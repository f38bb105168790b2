// SPDX-License-Identifier: Apache-2.0
#include "apps/view/plain.h"

#include <string>

#include <gtest/gtest.h>

#include "apps/view/sample_run.h"

namespace apps::view {
namespace {

using model::ReasonCode;
using model::Status;
using std::chrono::milliseconds;
using std::chrono::seconds;

class PlainTest : public testing::Test {
 protected:
  void Show(const model::Fact& fact) {
    board_.Apply(fact);
    plain_.Fact(board_, fact, out_);
  }

  Board board_{SampleRun::Run(), SamplePlan()};
  SampleRun run_;
  Plain plain_{{.run = "028t5cy4tqkff", .pipeline = "ci", .file = "ci.yml", .workers = 2},
               {.color = false, .unicode = false}};
  std::string out_;
};

TEST_F(PlainTest, ReadsLikeALog) {
  Show(run_.Accepted());
  Show(run_.Started(0));
  Show(run_.StepStarted(0, 0));
  plain_.Output(board_, SampleRun::Key(0), model::StepIndex(0), "cc a.c\ncc ", false, out_);
  plain_.Output(board_, SampleRun::Key(0), model::StepIndex(0), "b.c\n\x1b[31mwarning\x1b[0m", true,
                out_);
  Show(run_.After(milliseconds(1500)).StepEnded(0, 0, Status::kSucceeded));
  Show(run_.StepEnded(0, 1, Status::kFailed, SampleRun::Exit(2)));
  Show(run_.AttemptEnded(0, Status::kFailed, SampleRun::Exit(2)));
  Show(run_.JobEnded(0, Status::kFailed, SampleRun::Exit(2)));
  for (const std::uint32_t job : {1U, 2U, 3U}) {
    Show(
        run_.JobEnded(job, Status::kSkipped, SampleRun::Because(ReasonCode::kNeedNotMet, "build")));
  }
  Show(run_.RunEnded(Status::kFailed, board_));
  plain_.End(board_, run_.now(), out_);
  EXPECT_EQ(out_, R"(run 028t5cy4tqkff: started ci (4 jobs, 2 workers)
compile: started
compile | cc a.c
compile | cc b.c
compile | warning
compile: step make install failed: exit code 2
compile: failed in 1.5s: exit code 2
unit[core]: skipped: build did not end as needed
unit[net]: skipped: build did not end as needed
ship: skipped: build did not end as needed
x run 028t5cy4tqkff failed in 1.5s: 1 failed, 3 skipped
  x compile failed: exit code 2
      step make install: exit code 2
      dayfly logs 028t5cy4tqkff compile
)");
}

TEST_F(PlainTest, NamesWhatRunsBesideTheSteps) {
  auto plan = std::make_shared<model::Plan>();
  model::JobSpec& job = plan->specs.emplace_back();
  job.name = "test";
  job.rare = std::make_unique<model::RareJobSettings>();
  job.rare->services.resize(1);
  job.steps.resize(3);
  job.steps[0].id = "db";
  job.steps[0].background = job.steps[1].background = true;
  plan->jobs.push_back({.spec = model::SpecIndex(0), .cell = {}});
  const Board board(SampleRun::Run(), plan);
  plain_.Output(board, SampleRun::Key(0), model::StepIndex(0), "serving\n", false, out_);
  plain_.Output(board, SampleRun::Key(0), model::StepIndex(1), "watching\n", false, out_);
  plain_.Output(board, SampleRun::Key(0), model::StepIndex(2), "testing\n", false, out_);
  EXPECT_EQ(out_, "test db | serving\ntest 1 | watching\ntest | testing\n");
}

TEST_F(PlainTest, TellsRetriesAndCancels) {
  Show(run_.Accepted());
  Show(run_.Started(1));
  Show(run_.AttemptEnded(1, Status::kFailed, SampleRun::Exit(1)));
  model::JobBackedOff backed_off;
  backed_off.run = SampleRun::Run();
  backed_off.job = model::JobIndex(1);
  backed_off.infra = true;
  backed_off.reason = SampleRun::Because(ReasonCode::kWorkerLost, "gone");
  Show(run_.At(backed_off));
  Show(run_.Started(1, 2));
  model::RunCancelRequested cancel;
  cancel.run = SampleRun::Run();
  cancel.reason = SampleRun::Because(ReasonCode::kCancelRequested, "ctrl-c");
  Show(run_.At(cancel));
  EXPECT_EQ(out_, R"(run 028t5cy4tqkff: started ci (4 jobs, 2 workers)
unit[core]: started
unit[core]: will be tried again (infrastructure failure): worker lost: gone
unit[core]: started (attempt 2)
run 028t5cy4tqkff: cancelling (cancelled by ctrl-c)
)");
}

TEST_F(PlainTest, ARunLeftUnfinishedSaysHowToGoOn) {
  Show(run_.Accepted());
  out_.clear();
  plain_.End(board_, run_.After(seconds(3)).now(), out_);
  EXPECT_EQ(out_, R"(* run 028t5cy4tqkff was left unfinished in 3.0s: 4 waiting
  continue it with: dayfly run --resume 028t5cy4tqkff
)");
}

TEST(ShellQuote, ProtectsMatrixCells) {
  EXPECT_EQ(ShellQuote("unit"), "unit");
  EXPECT_EQ(ShellQuote("unit[a, b]"), "'unit[a, b]'");
  EXPECT_EQ(ShellQuote("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellQuote(""), "''");
}

TEST_F(PlainTest, TellsThatBytesOfALogAreMissing) {
  Show(run_.Accepted());
  Show(run_.Started(0));
  out_.clear();
  model::Fact ended = run_.StepEnded(0, 0, Status::kSucceeded);
  std::get<model::StepEnded>(ended.body).log.lost_bytes = 77;
  Show(ended);
  EXPECT_EQ(out_,
            "compile: step make: 77 bytes of its log are missing: they could not be written (disk "
            "full?)\n");
  out_.clear();
  plain_.End(board_, run_.now(), out_);
  EXPECT_NE(out_.find("  77 bytes of the logs are missing"), std::string::npos) << out_;
}

}  // namespace
}  // namespace apps::view
