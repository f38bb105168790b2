// SPDX-License-Identifier: Apache-2.0
// Files that are no pipeline: `validate` and `run` say what and where, and nothing is started.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bad_input/bad_input_scene.h"

namespace tests::bad_input {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string AliasBomb() {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level < 10; ++level) {
    const std::string alias = "*a" + std::to_string(level - 1);
    text += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [" + alias;
    for (int i = 1; i < 10; ++i) {
      text += ", " + alias;
    }
    text += "]\n";
  }
  return text + "jobs: { a: { steps: [x] } }\n";
}

std::string MillionCells() {
  std::string text = "jobs:\n  a:\n    matrix:\n      a: &digits [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n";
  for (const char axis : {'b', 'c', 'd', 'e', 'f'}) {
    text += std::string("      ") + axis + ": *digits\n";
  }
  return text + "    steps: [x]\n";
}

std::string Deep(int levels) {
  return "jobs: " + std::string(static_cast<std::size_t>(levels), '[') +
         std::string(static_cast<std::size_t>(levels), ']') + "\n";
}

struct Case {
  std::string name;
  std::string text;
  std::vector<std::string> said;  ///< each stands on standard error
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

const Case kCases[] = {
    {"BrokenYaml", "jobs:\n  a: { steps: [x\n  b: 1\n", {"p.yml:", "error[yaml-syntax]"}},
    {"NotText",
     std::string("\x7F"
                 "ELF\x02\0\x01",
                 7),
     {"p.yml:1:1: error["}},
    {"Nothing", "", {"error[empty-file]", "the file holds no pipeline"}},
    {"AliasBomb", AliasBomb(), {"error[alias-bomb]", "4000000"}},
    {"DeepNesting", Deep(100'000), {"error[yaml-too-deep]", "64 levels"}},
    {"Cycle",
     "jobs:\n  a: { needs: [c], steps: [x] }\n  b: { needs: [a], steps: [x] }\n"
     "  c: { needs: [b], steps: [x] }\n",
     {"error[cycle]", "p.yml:2:", "a → c → b → a"}},
    {"UnknownNeed",
     "jobs:\n  build: { steps: [x] }\n  test: { needs: [biuld], steps: [x] }\n",
     {"p.yml:3:19: error[unknown-need]", "did you mean 'build'"}},
    {"DuplicateKey",
     "jobs:\n  a: { steps: [x] }\n  a: { step: [y], needs: [nobody] }\n",
     {"p.yml:3:3: error[duplicate-key]", "p.yml:2:3", "error[unknown-key]", "error[unknown-need]"}},
    {"MillionCells", MillionCells(), {"error[matrix-too-large]", "1000000", "100000"}},
};

class PipelineFile : public BadInput, public ::testing::WithParamInterface<Case> {
 protected:
  void ExpectRefused(const Outcome& outcome) const {
    EXPECT_EQ(outcome.exit_code, 2) << outcome.errors;
    for (const std::string& text : GetParam().said) {
      EXPECT_THAT(outcome.out + outcome.errors, HasSubstr(text));
    }
  }
};

TEST_P(PipelineFile, IsRefusedWithItsPlaceAndNothingIsStarted) {
  Write("p.yml", GetParam().text);
  ExpectRefused(Dayfly({"validate", "p.yml"}));
  const Outcome run = RunPipeline();
  ExpectRefused(run);
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_THAT(Runs(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(, PipelineFile, ::testing::ValuesIn(kCases),
                         [](const auto& param) { return param.param.name; });

TEST_F(BadInput, AMissingFileIsNamed) {
  for (const std::string command : {"run", "validate", "plan"}) {
    const Outcome outcome = Dayfly({command, "nothing.yml"});
    EXPECT_EQ(outcome.exit_code, 2) << command;
    EXPECT_THAT(outcome.out + outcome.errors, HasSubstr("nothing.yml: error[missing-file]"));
  }
  EXPECT_THAT(Runs(), IsEmpty());
}

TEST_F(BadInput, AFolderIsNoPipeline) {
  const Outcome outcome = Dayfly({"run", "."});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.errors, HasSubstr("error[not-a-file]"));
}

TEST_F(BadInput, AllMistakesOfAFileAreToldAtOnce) {
  Write("p.yml",
        "nmae: x\njobs:\n  a: { needs: [b], steps: [{ rnu: x }] }\n  c: { timeout: soon, steps: "
        "[x] }\n");
  const Outcome outcome = Dayfly({"validate", "p.yml", "--format", "json"});
  EXPECT_EQ(outcome.exit_code, 2);
  ASSERT_EQ(outcome.lines.size(), 4U) << outcome.out;
  for (const auto& line : outcome.lines) {
    EXPECT_TRUE(line.is_object() && line.value("line", 0) > 0) << line;
  }
}

}  // namespace
}  // namespace tests::bad_input
