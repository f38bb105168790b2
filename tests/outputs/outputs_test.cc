// SPDX-License-Identifier: Apache-2.0
// `dayfly run` with outputs that are too large for the run's log: read, retried, resumed, reused.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dayfly_folder.h"

namespace tests::outputs {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class LargeOutputs : public support::DayflyFolder {
 protected:
  json Job(const std::string& id) const {
    const json shown = json::parse(Dayfly({"show", "latest", "--format", "json"}).text);
    for (const json& job : shown["jobs"]) {
      if (job["id"] == id) {
        return job;
      }
    }
    return {};
  }
};

constexpr const char* kNumbers = R"yaml(
jobs:
  make:
    outputs:
      numbers: ${{ steps.count.outputs.numbers }}
      last: ${{ steps.count.outputs.last }}
    steps:
      - id: count
        run: |
          { echo "numbers<<END"; seq 30000; echo "END"; echo last=30000; } >> "$DAYFLY_OUTPUT"
          echo made
  use:
    needs: [make]
    steps:
      - "test ! -e $HOME/broken"
      - "grep -c . <<'END'\n${{ needs.make.outputs.numbers }}\nEND\n"
      - echo ${{ needs.make.outputs.last }}
  other:
    needs: [make]
    if: needs.make.outputs.last == '30000'
    steps: [echo nothing]
)yaml";

TEST_F(LargeOutputs, AreReadAsAnyOther) {
  Pipeline(kNumbers);
  const support::Ended run = Dayfly({"run", "p.yml", "--output", "json"});
  EXPECT_EQ(run.exit_code, 0) << run.text;
  EXPECT_EQ(Logs("use"), "30000\n30000\n");
  const json made = Job("make");
  EXPECT_EQ(made["outputs"], json({{"last", "30000"}}));
  ASSERT_EQ(made["spilled"].size(), 1U) << made;
  EXPECT_EQ(made["spilled"][0]["name"], "numbers");
  EXPECT_GT(made["spilled"][0]["bytes"], 168'000);
  EXPECT_THAT(Dayfly({"show", "latest"}).text, HasSubstr("in the artifact store"));
}

TEST_F(LargeOutputs, AreThereForARetry) {
  Pipeline(kNumbers);
  std::ofstream(folder_.File("broken")) << "";
  EXPECT_EQ(Dayfly({"run", "p.yml"}).exit_code, 1);
  std::filesystem::remove(folder_.File("broken"));
  EXPECT_EQ(Dayfly({"retry", "latest", "--failed"}).exit_code, 0);
  EXPECT_EQ(Logs("use"), "30000\n30000\n");
  EXPECT_EQ(Logs("make"), "");
}

TEST_F(LargeOutputs, AreThereAfterAKill) {
  Pipeline(kNumbers);
  Dayfly({"run", "p.yml", "--output", "json"});
  const support::Ended killed = support::RunDayfly(
      LaunchOf({"run", "p.yml", "--output", "json"}),
      [](const json& line) { return line["event"] == "job_ended" && line["job"] == "make"; });
  ASSERT_FALSE(killed.lines.empty());
  ASSERT_TRUE(support::WaitForOrphans(20));
  const support::Ended resumed = Dayfly({"run", "--resume", "latest", "--output", "json"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.text;
  EXPECT_EQ(Logs("use"), "30000\n30000\n");
}

TEST_F(LargeOutputs, AreTakenOverByReuse) {
  Pipeline(R"yaml(
jobs:
  make:
    reuse: { inputs: [p.yml] }
    outputs: { numbers: "${{ steps.count.outputs.numbers }}" }
    steps:
      - id: count
        run: |
          { echo "numbers<<END"; seq 30000; echo "END"; } >> "$DAYFLY_OUTPUT"
          echo made
  use:
    needs: [make]
    steps: ["grep -c . <<'END'\n${{ needs.make.outputs.numbers }}\nEND\n"]
)yaml");
  for (const char* made : {"made\n", ""}) {
    const support::Ended run = Dayfly({"run", "p.yml", "--output", "json"});
    EXPECT_EQ(run.exit_code, 0) << run.text;
    EXPECT_THAT(Logs("make"), HasSubstr(made));
    EXPECT_EQ(Logs("use"), "30000\n");
  }
  EXPECT_EQ(Job("make")["reason"], "reused") << Job("make");
}

// The engine reads it, so it stays in the run's log.
TEST_F(LargeOutputs, AreListsOfForEach) {
  Pipeline(R"yaml(
jobs:
  list:
    outputs: { all: "${{ steps.find.outputs.all }}" }
    steps:
      - id: find
        run: |
          long=$(head -c 40000 /dev/zero | tr '\0' x)
          echo "all=[{\"name\":\"a\",\"text\":\"$long\"},{\"name\":\"b\",\"text\":\"$long\"}]" >> "$DAYFLY_OUTPUT"
  each:
    needs: [list]
    for_each: ${{ fromJSON(needs.list.outputs.all) }}
    steps: ["echo '${{ each.value.text }}' | wc -c"]
)yaml");
  const support::Ended run = Dayfly({"run", "p.yml", "--output", "json"});
  EXPECT_EQ(run.exit_code, 0) << run.text;
  EXPECT_EQ(Logs("each[a]"), "40001\n");
  EXPECT_EQ(Logs("each[b]"), "40001\n");
  EXPECT_TRUE(Job("list")["spilled"].empty());
}

// Of one text, so the store has it once; a worker would hold it four times.
TEST_F(LargeOutputs, SayWhenAJobReadsTooMuch) {
  Pipeline(R"yaml(
jobs:
  make:
    outputs: { a: &all "${{ steps.s.outputs.x }}${{ steps.s.outputs.x }}${{ steps.s.outputs.x }}${{ steps.s.outputs.x }}", b: *all, c: *all, d: *all }
    steps:
      - { id: s, run: "echo x=$(head -c 1000000 /dev/zero | tr '\\0' x) >> $DAYFLY_OUTPUT" }
  use:
    needs: [make]
    retry: 2
    steps: ["echo ${{ needs.make.outputs.a == needs.make.outputs.b && needs.make.outputs.c == needs.make.outputs.d }}"]
)yaml");
  const support::Ended run = Dayfly({"run", "p.yml", "--output", "json"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.text,
              HasSubstr("the outputs of other jobs that this one reads have 16000008 bytes "
                        "together, the limit is 12582912: hand them on as artifacts"));
  EXPECT_EQ(Job("use")["attempts"].size(), 1U) << "no retry mends it";
}

TEST_F(LargeOutputs, SayWhenTheyAreTooLarge) {
  Pipeline(R"yaml(
jobs:
  make:
    outputs: { all: "${{ steps.a.outputs.x }}${{ steps.b.outputs.x }}${{ steps.c.outputs.x }}${{ steps.d.outputs.x }}${{ steps.e.outputs.x }}" }
    steps:
      - { id: a, run: &big "echo x=$(head -c 1000000 /dev/zero | tr '\\0' x) >> $DAYFLY_OUTPUT" }
      - { id: b, run: *big }
      - { id: c, run: *big }
      - { id: d, run: *big }
      - { id: e, run: *big }
)yaml");
  const support::Ended run = Dayfly({"run", "p.yml", "--output", "json"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.text,
              HasSubstr("output 'all' has 5000002 bytes, the limit is 4194304: hand it on as an "
                        "artifact"));
}

}  // namespace
}  // namespace tests::outputs
