// SPDX-License-Identifier: Apache-2.0
#include "apps/view/tree.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/view/sample_run.h"
#include "apps/view/tree_layout.h"
#include "apps/view/utf8.h"

namespace apps::view {
namespace {

using model::ReasonCode;
using model::Status;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

const RunHeader kHeader{.run = "028t5cy4tqkff", .pipeline = "ci", .file = "ci.yml", .workers = 2};
constexpr Look kPlainLook{.color = false, .unicode = true};

struct Picture {
  std::string text;
  std::vector<std::string> lines;
};

Picture Draw(const Board& board, base::Instant now, TerminalSize size, const StepTails& tails = {},
             const ExplainFunction& explain = {}, std::string_view notice = {}) {
  Picture picture;
  const TreeInput input{.board = board,
                        .header = kHeader,
                        .now = now,
                        .size = size,
                        .look = kPlainLook,
                        .tails = tails,
                        .explain = explain,
                        .notice = notice};
  for (const StyledLine& line : LayOutTree(input)) {
    picture.lines.push_back(line.Render(size.columns - 1, kPlainLook));
    picture.text += picture.lines.back() + "\n";
  }
  return picture;
}

TEST(TreeLayout, ShowsEverythingThatFits) {
  Board board(SampleRun::Run(), SamplePlan());
  SampleRun run;
  board.Apply(run.Accepted());
  board.Apply(run.Started(0));
  board.Apply(run.StepStarted(0, 0));
  run.After(seconds(2));
  board.Apply(run.StepEnded(0, 0, Status::kSucceeded));
  board.Apply(run.AttemptEnded(0, Status::kSucceeded));
  board.Apply(run.JobEnded(0, Status::kSucceeded));
  board.Apply(run.Started(1));
  board.Apply(run.StepStarted(1, 0));
  board.Apply(run.Started(2));
  run.After(milliseconds(1200));
  board.Apply(run.StepEnded(2, 0, Status::kFailed, SampleRun::Exit(3)));
  board.Apply(run.AttemptEnded(2, Status::kFailed, SampleRun::Exit(3)));
  board.Apply(run.JobEnded(2, Status::kFailed, SampleRun::Exit(3)));
  const StepTails tails = {{{SampleRun::Key(2), model::StepIndex(0)}, {"boom", "core dumped"}}};
  const auto explain = [](model::JobIndex) {
    return std::vector<model::Reason>{SampleRun::Because(ReasonCode::kWaitsForStage, "test")};
  };
  EXPECT_EQ(Draw(board, run.now(), {.columns = 80, .rows = 24}, tails, explain, "press q").text,
            R"(● ci  028t5cy4tqkff  running  3.2s
  ✓ build  1 succeeded
    ✓ compile       2.0s
  ✗ test  1 running, 1 failed
    ● unit[core]    1.2s  run
    ✗ unit[net]     1.2s  exit code 3
        | boom
        | core dumped
  ◌ deploy  1 waiting
    ◌ ship                waits for stage test
  1 running, 1 failed, 1 succeeded, 1 waiting
  press q
)");
}

TEST(Tree, ShowsTheEndOfAFailedStepsLogInWords) {
  Board board(SampleRun::Run(), SamplePlan());
  SampleRun run;
  board.Apply(run.Accepted());
  board.Apply(run.Started(0));
  board.Apply(run.StepEnded(0, 0, Status::kFailed, SampleRun::Exit(2)));
  board.Apply(run.AttemptEnded(0, Status::kFailed, SampleRun::Exit(2)));
  board.Apply(run.JobEnded(0, Status::kFailed, SampleRun::Exit(2)));
  Tree tree({}, {.color = false, .unicode = true}, {});
  std::string out;
  tree.Output(board, SampleRun::Key(0), model::StepIndex(0), "::group::Lint\na.c\n::err", false,
              out);
  tree.Output(board, SampleRun::Key(0), model::StepIndex(0),
              "or file=a.c,line=3::boom\n::endgroup::", true, out);
  tree.End(board, run.now(), out);
  EXPECT_THAT(out, HasSubstr("      step make: exit code 2\n"
                             "      | ▾ Lint\n"
                             "      |   a.c\n"
                             "      |   error: boom (a.c:3)\n"
                             "      dayfly logs"));
}

TEST(TreeLayout, NeverOutgrowsTheTerminal) {
  for (const int rows : {2, 3, 5, 10, 24}) {
    for (const int columns : {10, 20, 40, 80}) {
      Board board(SampleRun::Run(), SamplePlan());
      SampleRun run;
      board.Apply(run.Accepted());
      for (std::uint32_t job = 0; job < 4; ++job) {
        board.Apply(run.Started(job));
        board.Apply(run.StepStarted(job, 0));
      }
      const Picture picture =
          Draw(board, run.now(), {.columns = columns, .rows = rows}, {}, {}, "cancelling");
      EXPECT_LE(picture.lines.size(), static_cast<std::size_t>(std::max(1, rows - 1)));
      for (const std::string& line : picture.lines) {
        EXPECT_LE(DisplayWidth(line), columns - 1) << line;
      }
    }
  }
}

TEST(TreeLayout, CollapsesAThousandJobsToWhatMatters) {
  Board board(SampleRun::Run(), WidePlan(1000));
  SampleRun run;
  board.Apply(run.Accepted());
  for (std::uint32_t job = 0; job < 600; ++job) {
    board.Apply(run.Started(job));
    board.Apply(run.StepStarted(job, 0));
    const bool fails = job == 17;
    if (job < 598) {
      board.Apply(run.AttemptEnded(job, fails ? Status::kFailed : Status::kSucceeded));
      board.Apply(run.JobEnded(job, fails ? Status::kFailed : Status::kSucceeded,
                               fails ? SampleRun::Exit(9) : model::Reason{}));
    }
  }
  EXPECT_EQ(Draw(board, run.now(), {.columns = 80, .rows = 12}).text,
            R"(● ci  028t5cy4tqkff  running  0.0s
  ✗ all  2 running, 1 failed, 597 succeeded, 400 waiting
    ✗ job17                       0.0s  exit code 9
    ● job598                      0.0s  true
    ● job599                      0.0s  true
    ◌ job600
  2 running, 1 failed, 597 succeeded, 400 waiting
)");
}

TEST(Tree, DrawsAtMostFifteenTimesASecondAndTicksOnceASecond) {
  Board board(SampleRun::Run(), SamplePlan());
  SampleRun run;
  Tree tree(kHeader, kPlainLook, {});
  std::string out;
  board.Apply(run.Accepted());
  tree.Fact(board, run.Accepted(), out);
  EXPECT_EQ(tree.NextDraw(run.now()), run.now());
  tree.Draw(board, run.now(), {}, out);
  EXPECT_EQ(tree.NextDraw(run.now()), run.now() + seconds(1));
  board.Apply(run.Started(0));
  tree.Fact(board, run.Started(0), out);
  EXPECT_EQ(tree.NextDraw(run.now()), run.now() + milliseconds(66));
}

TEST(Tree, RewritesOnlyLinesThatChanged) {
  Board board(SampleRun::Run(), SamplePlan());
  SampleRun run;
  Tree tree(kHeader, kPlainLook, {});
  std::string out;
  board.Apply(run.Accepted());
  tree.Draw(board, run.now(), {}, out);
  out.clear();
  board.Apply(run.Started(0));
  tree.Draw(board, run.now(), {}, out);
  EXPECT_TRUE(out.starts_with("\r\x1b[9A\n")) << out;
  EXPECT_THAT(out, HasSubstr("compile"));
  EXPECT_THAT(out, Not(HasSubstr("ship")));
}

TEST(Tree, AfterANarrowingGoesUpOverTheWrappedLines) {
  Board board(SampleRun::Run(), SamplePlan());
  SampleRun run;
  Tree tree(kHeader, kPlainLook, {});
  std::string out;
  board.Apply(run.Accepted());
  tree.Draw(board, run.now(), {.columns = 80, .rows = 50}, out);
  out.clear();
  tree.Draw(board, run.now(), {.columns = 20, .rows = 50}, out);
  // Of nine lines, the title and the one of stage deploy are wider than 20 columns.
  EXPECT_TRUE(out.starts_with("\r\x1b[11A")) << out;
  EXPECT_THAT(out, HasSubstr("\x1b[J"));
}

TEST(Tree, EndsWithTheLastLinesOfWhatFailed) {
  Board board(SampleRun::Run(), SamplePlan());
  SampleRun run;
  Tree tree(kHeader, {.color = false, .unicode = false}, {});
  std::string out;
  board.Apply(run.Accepted());
  board.Apply(run.Started(0));
  board.Apply(run.StepEnded(0, 0, Status::kFailed, SampleRun::Exit(1)));
  std::string log;
  for (int line = 1; line <= 30; ++line) {
    log += "line " + std::to_string(line) + "\n";
  }
  tree.Output(board, SampleRun::Key(0), model::StepIndex(0), log, true, out);
  board.Apply(run.AttemptEnded(0, Status::kFailed, SampleRun::Exit(1)));
  board.Apply(run.JobEnded(0, Status::kFailed, SampleRun::Exit(1)));
  board.Apply(run.RunEnded(Status::kFailed, board));
  tree.End(board, run.now(), out);
  EXPECT_THAT(out, HasSubstr("  x compile failed: exit code 1\n      step make: exit code 1\n"
                             "      | line 11\n"));
  EXPECT_THAT(out, HasSubstr("      | line 30\n      dayfly logs 028t5cy4tqkff compile\n"));
  EXPECT_THAT(out, Not(HasSubstr("line 10\n")));
}

TEST(StyledLine, ColoursDoNotCountAsColumns) {
  StyledLine line;
  line.Add("ab", Status::kFailed).Add("cd");
  EXPECT_EQ(line.Render(3, {.color = true, .unicode = true}), "\x1b[31mab\x1b[0m…");
  EXPECT_EQ(line.Render(4, {.color = false, .unicode = true}), "abcd");
}

}  // namespace
}  // namespace apps::view
