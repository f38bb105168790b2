// SPDX-License-Identifier: Apache-2.0
// Annotations and log groups through `dayfly run`, and how `show` and `logs` tell them.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/dayfly_folder.h"

namespace tests::annotations {
namespace {

using nlohmann::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A step that fails behind a group, and one after it that warns.
constexpr const char* kPipeline = R"yaml(
name: lint
jobs:
  check:
    steps:
      - id: sources
        run: |
          echo '::group::Sources'
          echo 'a.js b.js'
          echo '::error file=a.js,line=3,col=7::no semicolon%0Abehind x'
          echo '::endgroup::'
          echo '::unknown::text'
          exit 1
    finally:
      - { id: last, run: "echo '::warning title=Old::update me'" }
  fine:
    steps: ["echo '::notice::nothing found'"]
)yaml";

constexpr const char* kRaw =
    "::group::Sources\n"
    "a.js b.js\n"
    "::error file=a.js,line=3,col=7::no semicolon%0Abehind x\n"
    "::endgroup::\n"
    "::unknown::text\n";

class AnnotationsTest : public support::DayflyFolder {
 protected:
  void SetUp() override {
    DayflyFolder::SetUp();
    Pipeline(kPipeline);
  }
  support::Ended Run() const { return Dayfly({"run", "p.yml", "--output", "json"}); }
  /// A form that nobody parses as JSON lines.
  std::string Text(std::vector<std::string> arguments) const {
    support::DayflyProcess process(LaunchOf(std::move(arguments)));
    std::string text = process.ReadRest();
    process.Wait();
    return text;
  }
  std::string Fifo(const std::string& name) const {
    const std::string path = folder_.File(name);
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  static json EndOf(const support::Ended& run, const std::string& job) {
    for (const json& line : run.lines) {
      if (line["event"] == "job_ended" && line["job"] == job) {
        return line;
      }
    }
    return {};
  }
};

TEST_F(AnnotationsTest, AreCountedInTheLinesOfARun) {
  const support::Ended run = Run();
  EXPECT_EQ(run.exit_code, 1) << run.text;
  EXPECT_EQ(EndOf(run, "check")["annotations"],
            json::parse(R"({"errors":1,"warnings":1,"notices":0})"));
  EXPECT_EQ(EndOf(run, "fine")["annotations"],
            json::parse(R"({"errors":0,"warnings":0,"notices":1})"));
  EXPECT_THAT(run.text, Not(HasSubstr("semicolon"))) << "facts do not grow by what was said";
}

TEST_F(AnnotationsTest, AreShownBelowTheJobs) {
  Run();
  const std::string shown = Text({"show", "latest"});
  EXPECT_THAT(shown, HasSubstr("      annotations: 1 error, 1 warning\n"));
  EXPECT_THAT(shown, EndsWith("\nannotations  1 error, 1 warning, 1 notice\n"
                              "  ✗ error: no semicolon (a.js:3:7)  check, step sources\n"
                              "      behind x\n"
                              "  ! warning: Old: update me  check, step last\n"
                              "  – notice: nothing found  fine, step 1\n"));
}

TEST_F(AnnotationsTest, AreGivenToPrograms) {
  Run();
  const json shown = json::parse(Text({"show", "latest", "--annotations", "--format", "json"}));
  EXPECT_EQ(shown["errors"], 1);
  EXPECT_EQ(shown["jobs"][0]["job"], "check");
  EXPECT_EQ(shown["jobs"][0]["annotations"][0]["message"], "no semicolon\nbehind x");
  EXPECT_EQ(shown["jobs"][0]["annotations"][0]["step"], "sources");
  EXPECT_EQ(shown["jobs"][0]["annotations"][0]["column"], 7);
  EXPECT_EQ(shown["jobs"][0]["annotations"][1]["title"], "Old");
  const json run = json::parse(Text({"show", "latest", "--format", "json"}));
  EXPECT_EQ(run["jobs"][0]["annotations"]["warnings"], 1);
}

TEST_F(AnnotationsTest, LogsAreKeptAsWrittenAndShownInWords) {
  Run();
  EXPECT_EQ(Text({"logs", "latest", "check", "sources", "--raw"}), kRaw);
  const std::string shown = Text({"logs", "latest", "check", "sources"});
  EXPECT_THAT(shown, HasSubstr(" sources | ▾ Sources\n"));
  EXPECT_THAT(shown, HasSubstr(" sources |   a.js b.js\n"));
  EXPECT_THAT(shown, HasSubstr(" sources |   error: no semicolon%0Abehind x (a.js:3:7)\n"));
  EXPECT_THAT(shown, HasSubstr(" sources | ::unknown::text\n"));
  EXPECT_THAT(shown, Not(HasSubstr("endgroup")));
}

TEST_F(AnnotationsTest, LogsAsJsonAreAsWrittenLineByLine) {
  Run();
  std::istringstream lines(Text({"logs", "latest", "check", "sources", "--format", "json"}));
  std::string whole;
  for (std::string text; std::getline(lines, text);) {
    const json line = json::parse(text);
    EXPECT_EQ(line["job"], "check");
    EXPECT_EQ(line["attempt"], 1);
    EXPECT_EQ(line["step"], "sources");
    EXPECT_EQ(line["offset"], whole.size());
    EXPECT_THAT(line["at"].get<std::string>(), StartsWith("20"));
    whole += line["text"].get<std::string>() + "\n";
  }
  EXPECT_EQ(whole, kRaw);
}

TEST_F(AnnotationsTest, AGroupIsFollowedWhileItIsWritten) {
  const std::string up = Fifo("up");
  const std::string go = Fifo("go");
  Pipeline("jobs: { a: { steps: [\"echo ::group::Long; echo in; echo x > " + up + "; read y < " +
           go + "; echo still; echo ::endgroup::; echo out\"] } }\n");
  support::DayflyProcess run(LaunchOf({"run", "p.yml", "--output", "json"}));
  std::string line;
  std::getline(std::ifstream(up), line);
  support::DayflyProcess logs(LaunchOf({"logs", "latest", "-f"}));
  EXPECT_TRUE(logs.ReadLine(line));
  EXPECT_THAT(line, EndsWith("| ▾ Long"));
  EXPECT_TRUE(logs.ReadLine(line));
  EXPECT_THAT(line, EndsWith("|   in"));
  std::ofstream(go) << "y\n";
  const std::string rest = logs.ReadRest();
  EXPECT_THAT(rest, HasSubstr("|   still\n"));
  EXPECT_THAT(rest, EndsWith("| out\n"));
  EXPECT_EQ(run.Wait(), 0);
}

TEST_F(AnnotationsTest, AFailedJobNamesItsErrorsAtTheEnd) {
  const std::string run = Text({"run", "p.yml", "--output", "plain"});
  EXPECT_THAT(run, HasSubstr("check | ▾ Sources\n"));
  EXPECT_THAT(run, HasSubstr("check: annotations: 1 error, 1 warning\n"));
  EXPECT_THAT(run, HasSubstr("      error: no semicolon (a.js:3:7)\n"));
  EXPECT_THAT(run, Not(HasSubstr("endgroup")));
}

TEST_F(AnnotationsTest, GiveNoSecretAway) {
  Pipeline(R"yaml(
jobs:
  a:
    steps:
      - env: { T: "${{ secrets.TOKEN }}" }
        run: echo "::error file=$T::it is $T"; echo '::error::and p@ss%25w!rd'
)yaml");
  std::ofstream(folder_.File("token")) << "p@ss%w!rd";
  Dayfly({"run", "p.yml", "--output", "json", "--secret", "TOKEN=@" + folder_.File("token")});
  const std::string shown = Text({"show", "latest", "--annotations"});
  EXPECT_THAT(shown, HasSubstr("error: it is *** (***)"));
  EXPECT_THAT(shown, HasSubstr("error: and ***"));
  EXPECT_THAT(shown, Not(HasSubstr("w!rd")));
  EXPECT_THAT(Text({"logs", "latest"}), Not(HasSubstr("w!rd")));
}

TEST_F(AnnotationsTest, ManyAreListedAsFarAsThereIsRoom) {
  Pipeline(
      "jobs: { a: { steps: ['for i in $(seq 130); do echo \"::warning::w$i\"; done; "
      "echo ::error::last'] } }\n");
  Run();
  const std::string brief = Text({"show", "latest"});
  EXPECT_THAT(brief, HasSubstr("error: last"));
  EXPECT_THAT(brief, HasSubstr("  and 111 more: dayfly show "));
  const std::string all = Text({"show", "latest", "--annotations"});
  EXPECT_THAT(all, HasSubstr("warning: w100"));
  EXPECT_THAT(all, Not(HasSubstr("warning: w101")));
  EXPECT_THAT(all, EndsWith("  30 are not listed: there were too many\n"));
}

TEST_F(AnnotationsTest, WithoutAnyItSaysHowToMakeThem) {
  Pipeline("jobs: { a: { steps: ['true'] } }\n");
  Run();
  EXPECT_THAT(Text({"show", "latest", "--annotations"}), HasSubstr("no step made annotations"));
  EXPECT_THAT(Text({"show", "latest"}), Not(HasSubstr("annotations")));
}

}  // namespace
}  // namespace tests::annotations
