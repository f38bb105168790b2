// SPDX-License-Identifier: Apache-2.0
// The points that no line shows: `DAYFLY_CRASH_POINT` kills there, each as often as it is passed.
#include <algorithm>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

#include "tests/crash/crash_scene.h"
#include "tests/crash/recorded_facts.h"

namespace tests::crash {
namespace {

constexpr int kKilled = 128 + 9;

bool WasHit(const CrashScene& scene, const std::string& point) {
  return scene.Errors().find("crash point " + point + " hit") != std::string::npos;
}

void Tell(const std::string& point, int count) {
  std::cout << point << " hit, time " << count << "\n";
}

/// Crashes a new run at the `count`-th passing of `point` and resumes it. False when the run ended
/// without passing so often.
bool CrashAndResume(const std::string& point, int count) {
  SCOPED_TRACE(point + ":" + std::to_string(count));
  CrashScene scene;
  scene.WriteQuickPipeline();
  const Ended killed = RunDayfly(scene.Run(point + ":" + std::to_string(count)));
  if (killed.exit_code == 0) {
    return false;
  }
  EXPECT_EQ(killed.exit_code, kKilled) << scene.Errors();
  EXPECT_TRUE(WasHit(scene, point)) << scene.Errors();
  Tell(point, count);
  const auto notes = scene.Notes();
  ExpectWhole(scene, RunDayfly(scene.Resume(scene.RunName())), killed.lines, notes);
  return !::testing::Test::HasFailure();
}

TEST(CrashPoint, BeforeTheFirstCommitLeavesNothing) {
  CrashScene scene;
  scene.WriteQuickPipeline();
  const Ended killed = RunDayfly(scene.Run("before_first_commit"));
  ASSERT_EQ(killed.exit_code, kKilled) << scene.Errors();
  ASSERT_TRUE(WasHit(scene, "before_first_commit"));
  Tell("before_first_commit", 1);
  EXPECT_TRUE(killed.lines.empty()) << "a line was printed before anything was durable";
  for (const auto& [job, times] : scene.Notes()) {
    EXPECT_EQ(times, 0) << job;
  }
  // Nothing was accepted, so there is nothing to go on with; that is said, and nothing runs.
  const Ended resumed = RunDayfly(scene.Resume(scene.RunName()));
  EXPECT_NE(resumed.exit_code, 0);
  EXPECT_EQ(scene.Notes().at("first"), 0);
  // A new run is not disturbed by what the dead one left.
  EXPECT_EQ(RunDayfly(scene.Run()).exit_code, 0) << scene.Errors();
  EXPECT_EQ(scene.Notes().at("last"), 1);
}

TEST(CrashPoint, CommitDoneButEffectsNot) {
  ASSERT_TRUE(CrashAndResume("commit_done_effect_not", 1));
  int count = 2;
  while (count < 40 && CrashAndResume("commit_done_effect_not", count)) {
    ++count;
  }
  EXPECT_GT(count, 3) << "a chain of jobs has at least that many commits";
}

TEST(CrashPoint, StepEndedButNotCommitted) {
  ASSERT_TRUE(CrashAndResume("step_ended_not_committed", 1));
  int count = 2;
  while (count < 40 && CrashAndResume("step_ended_not_committed", count)) {
    ++count;
  }
  EXPECT_GT(count, 2);
}

TEST(CrashPoint, WhileResuming) {
  for (int count = 1; count <= 4; ++count) {
    SCOPED_TRACE(count);
    CrashScene scene;
    scene.WriteQuickPipeline();
    const Ended killed = RunDayfly(scene.Run(), [](const nlohmann::json& line) {
      return line.value("event", "") == "job_ended";
    });
    ASSERT_EQ(killed.exit_code, kKilled);
    const auto notes = scene.Notes();
    const Ended again =
        RunDayfly(scene.Resume(scene.RunName(), "while_resuming:" + std::to_string(count)));
    ASSERT_EQ(again.exit_code, kKilled) << scene.Errors();
    ASSERT_TRUE(WasHit(scene, "while_resuming")) << scene.Errors();
    Tell("while_resuming", count);
    Lines before = killed.lines;
    before.insert(before.end(), again.lines.begin(), again.lines.end());
    ExpectWhole(scene, RunDayfly(scene.Resume(scene.RunName())), before, notes);
  }
}

}  // namespace
}  // namespace tests::crash
