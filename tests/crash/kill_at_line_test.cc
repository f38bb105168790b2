// SPDX-License-Identifier: Apache-2.0
// SIGKILL at the k-th JSON line, for every k that an undisturbed run prints, then `--resume`.
#include <iostream>
#include <string>

#include <gtest/gtest.h>

#include "tests/crash/crash_scene.h"
#include "tests/support/effort.h"

namespace tests::crash {
namespace {

std::string Describe(const nlohmann::json& line) {
  return line.value("event", "?") + " " + (line["job"].is_string() ? line.value("job", "") : "");
}

TEST(Crash, UndisturbedRunIsWhole) {
  CrashScene scene;
  scene.WriteQuickPipeline();
  const Ended ended = RunDayfly(scene.Run());
  ExpectWhole(scene, ended, {}, {});
  for (const auto& [job, times] : scene.Notes()) {
    EXPECT_EQ(times, 1) << job;
  }
}

std::size_t LinesOfAnUndisturbedRun() {
  CrashScene scene;
  scene.WriteQuickPipeline();
  return RunDayfly(scene.Run()).lines.size();
}

void KillAtLineAndResume(std::size_t k) {
  CrashScene scene;
  scene.WriteQuickPipeline();
  std::size_t seen = 0;
  const Ended killed = RunDayfly(scene.Run(), [&](const nlohmann::json&) { return ++seen == k; });
  ASSERT_EQ(killed.lines.size(), k) << scene.Errors();
  std::cout << "killed at line " << k << ": " << Describe(killed.lines.back()) << "\n";
  // It may have ended by itself between the line and the signal only if the line was its last.
  ASSERT_EQ(killed.exit_code, 128 + 9);
  // Nobody waits for what the dead process may have left: the successor runs beside it.
  const auto notes = scene.Notes();
  const Ended resumed = RunDayfly(scene.Resume(scene.RunName()));
  ASSERT_FALSE(resumed.lines.empty()) << scene.Errors();
  EXPECT_EQ(resumed.lines.front().value("event", ""), "run_resumed");
  ExpectWhole(scene, resumed, killed.lines, notes);
}

TEST(Crash, ResumesAfterAKillAtEveryLine) {
  const std::size_t lines = LinesOfAnUndisturbedRun();
  ASSERT_GT(lines, 20U) << "the pipeline of this test prints more lines than that";
  for (std::size_t k = 1; k < lines; k += support::kSanitized ? 7 : 1) {
    SCOPED_TRACE("killed at line " + std::to_string(k));
    KillAtLineAndResume(k);
    ASSERT_FALSE(HasFailure());
  }
}

TEST(Crash, AFinishedRunIsNotResumed) {
  CrashScene scene;
  scene.WriteQuickPipeline();
  ASSERT_EQ(RunDayfly(scene.Run()).exit_code, 0);
  const auto notes = scene.Notes();
  const Ended again = RunDayfly(scene.Resume(scene.RunName()));
  EXPECT_EQ(EndedJobs(again.lines).size(), 0U) << again.text;
  EXPECT_EQ(scene.Notes(), notes);
}

}  // namespace
}  // namespace tests::crash
