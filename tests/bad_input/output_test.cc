// SPDX-License-Identifier: Apache-2.0
// What steps print is anything; it is kept byte for byte, and never breaks what people or programs
// read.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bad_input/bad_input_scene.h"

namespace tests::bad_input {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(BadInput, OutputWithoutANewlineIsKeptAsItIs) {
  WriteJobs("  a: { steps: [printf end, \"printf '\\\\nmore'\"] }\n");
  const Outcome plain = Dayfly({"run", "p.yml", "--output", "plain"});
  EXPECT_EQ(plain.exit_code, 0) << plain.errors;
  EXPECT_THAT(plain.out, HasSubstr("a | end\n"));
  EXPECT_THAT(plain.out, HasSubstr("a | more\n"));
  EXPECT_EQ(RawLog("a"), "end\nmore");
}

TEST_F(BadInput, NulBytesAndInvalidUtf8AreKeptAndNeverReachATerminal) {
  const std::string bytes("a\0b\xFF\xC0\x80\x1B]0;title\x07\xE2\x82 end\n", 22);
  Write("bytes", bytes);
  Write("p.yml", "jobs: { a: { steps: [cat bytes, \"cat bytes >&2; exit 3\"] } }\n");
  const Outcome json = RunPipeline();
  EXPECT_EQ(json.exit_code, 1);
  for (const auto& line : json.lines) {
    EXPECT_TRUE(line.is_object()) << json.out;
  }
  EXPECT_EQ(RawLog("a"), bytes + bytes);
  for (const std::string form : {"plain", "tree"}) {
    const Outcome shown = Dayfly({"run", "p.yml", "--output", form});
    EXPECT_THAT(shown.out, Not(HasSubstr(std::string(1, '\0')))) << form;
    EXPECT_THAT(shown.out, Not(HasSubstr("\xFF"))) << form;
    EXPECT_THAT(shown.out, Not(HasSubstr("\x1B]0;"))) << form;
    EXPECT_THAT(shown.out, HasSubstr(" end")) << form;
  }
}

TEST_F(BadInput, AnOutputThatIsNoTextIsRefusedOrCarriedButNeverBreaksTheRun) {
  WriteJobs(
      "  a:\n    outputs: { v: '${{ steps.s.outputs.v }}' }\n    steps:\n"
      "      - { id: s, run: 'printf \"v=x\\377\\n\" >> \"$DAYFLY_OUTPUT\"' }\n"
      "  b: { needs: [a], steps: ['printf %s \"${{ needs.a.outputs.v }}\"'] }\n");
  const Outcome run = RunPipeline();
  EXPECT_EQ(LastOf(run, "event"), "run_ended") << run.out << run.errors;
  EXPECT_NE(run.exit_code, 3) << run.errors;
  const Outcome show = Dayfly({"show", "latest", "--format", "json"});
  EXPECT_EQ(show.exit_code, 0) << show.errors;
  ASSERT_EQ(show.lines.size(), 1U);
  EXPECT_TRUE(show.lines[0].is_object()) << show.out;
}

}  // namespace
}  // namespace tests::bad_input
