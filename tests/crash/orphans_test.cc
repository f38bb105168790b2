// SPDX-License-Identifier: Apache-2.0
// No process of a dead run is left working beside its successor, however it hides.
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/crash/crash_scene.h"

namespace tests::crash {
namespace {

/// In its first life the step leaves a grandchild in a session of its own that ignores signals,
/// holds the lock and the pipe, and never ends; then the step says `up` and never ends either. In
/// its second life it takes the lock, or fails.
constexpr const char* kStubborn = R"yaml(
name: stubborn
env:
  RAN: {ran}
jobs:
  stubborn:
    steps:
      - run: |
          exec 9>>"$RAN/lock"
          if [ -e "$RAN/second_life" ]; then
            flock -n 9
            echo words of the second life
            exit 0
          fi
          flock -n 9
          echo words of the first life
          exec 8>"$RAN/pipe"
          setsid sh -c 'trap "" HUP INT TERM; while :; do sleep 3600; done' > /dev/null 2>&1 &
          echo up >&8
          trap "" HUP INT TERM
          while :; do sleep 3600; done
)yaml";

class Orphans : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string text = kStubborn;
    text.replace(text.find("{ran}"), 5, scene_.ran());
    scene_.WritePipeline(text);
    const std::string path = scene_.ran() + "/pipe";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    pipe_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ASSERT_GE(pipe_, 0);
  }
  void TearDown() override { ::close(pipe_); }

  /// Waits for the pipe to say something; what it said, empty at its end, `timeout` after 20 s.
  std::string ReadPipe() {
    pollfd ready{pipe_, POLLIN, 0};
    if (::poll(&ready, 1, 20'000) != 1) {
      return "timeout";
    }
    char bytes[64];
    const ssize_t count = ::read(pipe_, bytes, sizeof bytes);
    return count > 0 ? std::string(bytes, static_cast<std::size_t>(count)) : std::string();
  }

  Ended Logs() { return RunDayfly(scene_.Command({"logs", scene_.RunName()})); }

  CrashScene scene_;
  int pipe_ = -1;
};

TEST_F(Orphans, DieWithTheRunAndTheSuccessorIsAlone) {
  DayflyProcess first(scene_.Run());
  std::string line;
  ASSERT_TRUE(first.ReadLine(line)) << scene_.Errors();
  ASSERT_EQ(ReadPipe(), "up\n") << scene_.Errors();
  while (Logs().text.find("words of the first life") == std::string::npos) {
  }
  first.Kill();
  first.Wait();
  std::ofstream(scene_.ran() + "/second_life") << "now";
  const Ended resumed = RunDayfly(scene_.Resume(scene_.RunName()));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.text << scene_.Errors();
  EXPECT_EQ(ReadPipe(), "") << "somebody of the first life still holds the pipe";
  // What the step wrote that nobody heard the end of is not forgotten, and said to be cut.
  const Ended logs = Logs();
  EXPECT_EQ(logs.exit_code, 0);
  EXPECT_NE(logs.text.find("log is cut here"), std::string::npos) << logs.text;
  EXPECT_NE(logs.text.find("words of the first life"), std::string::npos) << logs.text;
  EXPECT_NE(logs.text.find("words of the second life"), std::string::npos) << logs.text;
}

TEST_F(Orphans, DieWithoutASuccessor) {
  DayflyProcess first(scene_.Run());
  std::string line;
  ASSERT_TRUE(first.ReadLine(line)) << scene_.Errors();
  ASSERT_EQ(ReadPipe(), "up\n") << scene_.Errors();
  first.Kill();
  first.Wait();
  EXPECT_EQ(ReadPipe(), "");
  EXPECT_TRUE(WaitForOrphans(20));
}

TEST_F(Orphans, TwoResumesOfOneRunDoNotBothGetIt) {
  DayflyProcess first(scene_.Run());
  std::string line;
  ASSERT_TRUE(first.ReadLine(line)) << scene_.Errors();
  ASSERT_EQ(ReadPipe(), "up\n") << scene_.Errors();
  // The first is alive and works: it keeps the run.
  const Ended other = RunDayfly(scene_.Resume(scene_.RunName()));
  // Nothing is wrong with the engine: the call names a run that is in use.
  EXPECT_EQ(other.exit_code, 2) << other.text;
  EXPECT_TRUE(other.lines.empty()) << other.text;
  first.Kill();
  first.Wait();
}

}  // namespace
}  // namespace tests::crash
