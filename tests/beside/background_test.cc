// SPDX-License-Identifier: Apache-2.0
// `dayfly run` with steps in the background.
#include <gmock/gmock.h>

#include "tests/beside/beside_scene.h"

namespace tests::beside {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class BackgroundTest : public BesideTest {};

TEST_F(BackgroundTest, GoesOnBesideTheOthersAndIsStoppedAfterThem) {
  const std::string up = Fifo("up");
  Pipeline(R"(
jobs:
  a:
    steps:
      - { id: beside, background: true, run: "echo serving; echo $$ > )" +
           up + R"(; exec sleep 1000" }
      - { id: front, run: "read pid < )" +
           up + R"(; echo $pid" }
    after: ["echo after"]
    finally: ["echo finally"]
)");
  const support::Ended run = Run();
  EXPECT_EQ(run.exit_code, 0) << run.text;
  const json end = EndOf(run, "a", "beside");
  EXPECT_EQ(end["status"], "succeeded");
  EXPECT_EQ(end["reason"], "steps_ended");
  EXPECT_EQ(Logs("a", "beside"), "serving\n");
  const std::string pid = Logs("a", "front");
  EXPECT_FALSE(IsAlive(pid.substr(0, pid.find('\n'))));
  EXPECT_THAT(Dayfly({"show", "latest"}).text, HasSubstr("beside"));
  EXPECT_THAT(Dayfly({"logs", "latest", "a"}).text, HasSubstr("beside | serving"));
}

TEST_F(BackgroundTest, AFailureFailsTheJob) {
  const std::string up = Fifo("up");
  Source("beside.sh", "echo broken; echo $$ > " + up + "; exit 7\n");
  Source("front.sh", "read pid < " + up + "; while kill -0 $pid 2>/dev/null; do :; done\n");
  Pipeline(R"(
jobs:
  a:
    steps:
      - { id: beside, background: true, run: exec sh beside.sh }
      - { id: front, run: sh front.sh }
)");
  const support::Ended run = Run();
  EXPECT_EQ(run.exit_code, 1) << run.text;
  EXPECT_EQ(EndOf(run, "a", "front")["status"], "succeeded");
  EXPECT_EQ(EndOf(run, "a", "beside")["status"], "failed");
  EXPECT_EQ(EndOf(run, "a", "beside")["exit_code"], 7);
  EXPECT_EQ(EndOf(run, "a")["status"], "failed");
}

TEST_F(BackgroundTest, ItsLogIsFollowedWhileItRuns) {
  const std::string up = Fifo("up");
  const std::string go = Fifo("go");
  Pipeline(R"(
jobs:
  a:
    steps:
      - { id: beside, background: true, run: "echo early; echo x > )" +
           up + R"(; exec sleep 1000" }
      - { id: front, run: "read x < )" +
           go + R"(" }
)");
  support::DayflyProcess run(Launch({"run", "p.yml", "--output", "json"}));
  ReadLine(up);
  while (Dayfly({"logs", "latest", "a", "beside"}).text.find("early") == std::string::npos) {
  }
  std::ofstream(go) << "x\n";
  for (std::string line; run.ReadLine(line);) {
  }
  EXPECT_EQ(run.Wait(), 0);
}

TEST_F(BackgroundTest, NothingOutlivesAKilledRunAndTheResumedOneGoesOn) {
  const std::string up = Fifo("up");
  const std::string stubborn =
      "(setsid sh -c 'trap : TERM HUP; echo $$ > " + up + "; exec sleep 1000' &); exec sleep 1000";
  Source("beside.sh", "[ -e " + folder_.File("second") + " ] && exit 0\n" + stubborn + "\n");
  Source("front.sh", "[ -e " + folder_.File("second") + " ] || exec sleep 1000\n");
  Pipeline(R"(
jobs:
  a:
    steps:
      - { id: beside, background: true, run: "sh beside.sh" }
      - { id: front, run: "sh front.sh" }
)");
  support::DayflyProcess run(Launch({"run", "p.yml", "--output", "json"}));
  std::string line;
  ASSERT_TRUE(run.ReadLine(line));
  const std::string id = json::parse(line)["run"];
  const std::string daemon = ReadLine(up);
  EXPECT_TRUE(IsAlive(daemon));
  run.Kill();
  run.Wait();
  std::ofstream(folder_.File("second")) << "now";
  const support::Ended resumed = Dayfly({"run", "--resume", id, "--output", "json"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.text;
  EXPECT_FALSE(IsAlive(daemon));
}

}  // namespace
}  // namespace tests::beside
