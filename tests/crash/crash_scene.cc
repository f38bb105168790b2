// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/crash_scene.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/crash/recorded_facts.h"

namespace tests::crash {
namespace fs = std::filesystem;

namespace {

/// The lock is released by the kernel with the last process that holds it: a job that finds it
/// taken runs beside another try of itself, and fails.
constexpr std::string_view kQuickPipeline = R"yaml(
name: crash
env:
  RAN: {ran}
jobs:
  first:
    steps:
      - run: |
          exec 9>>"$RAN/first.lock"; flock -n 9
          echo ran >> "$RAN/first"; echo out of first
  second:
    needs: [first]
    steps:
      - run: |
          exec 9>>"$RAN/second.lock"; flock -n 9
          echo ran >> "$RAN/second"; echo out of second
      - run: echo more of second
    finally:
      - run: echo end of second
  cells:
    needs: [first]
    matrix: { x: [a, b] }
    steps:
      - run: |
          exec 9>>"$RAN/cells[${{ matrix.x }}].lock"; flock -n 9
          echo ran >> "$RAN/cells[${{ matrix.x }}]"; echo out of ${{ matrix.x }}
  last:
    needs: [second, cells]
    steps:
      - run: |
          exec 9>>"$RAN/last.lock"; flock -n 9
          echo ran >> "$RAN/last"; echo out of last
)yaml";

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string Replaced(std::string_view text, std::string_view what, const std::string& with) {
  std::string result(text);
  result.replace(result.find(what), what.size(), with);
  return result;
}

}  // namespace

CrashScene::CrashScene() {
  std::string name = (fs::temp_directory_path() / "dayfly-crash-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    ADD_FAILURE() << "no temporary folder";
  }
  root_ = name;
  home_ = root_ + "/home";
  source_ = root_ + "/source";
  ran_ = root_ + "/ran";
  fs::create_directories(source_);
  fs::create_directories(ran_);
}

CrashScene::~CrashScene() {
  EXPECT_TRUE(WaitForOrphans(20)) << "processes of a dead run are still there";
  std::error_code error;
  fs::remove_all(root_, error);
}

void CrashScene::WritePipeline(const std::string& text) const {
  std::ofstream(source_ + "/crash.yml") << text;
}

void CrashScene::WriteQuickPipeline() const {
  WritePipeline(Replaced(kQuickPipeline, "{ran}", ran_));
}

Launch CrashScene::Command(std::vector<std::string> arguments,
                           const std::string& crash_point) const {
  const char* path = std::getenv("PATH");
  Launch launch{.arguments = std::move(arguments),
                .env = {"DAYFLY_HOME=" + home_, "HOME=" + root_,
                        fmt::format("PATH={}", path == nullptr ? "/usr/bin:/bin" : path)},
                .folder = source_,
                .errors = root_ + "/errors"};
  if (!crash_point.empty()) {
    launch.env.push_back("DAYFLY_CRASH_POINT=" + crash_point);
  }
  return launch;
}

Launch CrashScene::Run(const std::string& crash_point) const {
  return Command({"run", "crash.yml", "--workers", "2", "--output", "json"}, crash_point);
}

Launch CrashScene::Resume(const std::string& run, const std::string& crash_point) const {
  return Command({"run", "--resume", run, "--workers", "2", "--output", "json"}, crash_point);
}

std::string CrashScene::RunName() const {
  std::error_code error;
  fs::directory_iterator at(home_ + "/runs", error);
  return error || at == fs::directory_iterator() ? std::string() : at->path().filename().string();
}

std::string CrashScene::Errors() const {
  return ReadFile(root_ + "/errors");
}

std::map<std::string, int> CrashScene::Notes() const {
  std::map<std::string, int> notes;
  for (const auto& [job, output] : QuickOutputs()) {
    const std::string text = ReadFile(ran_ + "/" + job);
    notes[job] = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  }
  return notes;
}

const std::map<std::string, std::string>& QuickOutputs() {
  static const std::map<std::string, std::string> outputs = {
      {"first", "out of first\n"},
      {"second", "out of second\nmore of second\nend of second\n"},
      {"cells[a]", "out of a\n"},
      {"cells[b]", "out of b\n"},
      {"last", "out of last\n"}};
  return outputs;
}

std::set<std::string> EndedJobs(const Lines& lines) {
  std::set<std::string> jobs;
  for (const nlohmann::json& line : lines) {
    if (line.is_object() && line.value("event", "") == "job_ended") {
      jobs.insert(line.value("job", ""));
    }
  }
  return jobs;
}

void ExpectWhole(const CrashScene& scene, const Ended& last, const Lines& before,
                 const std::map<std::string, int>& notes_before) {
  ASSERT_EQ(last.exit_code, 0) << last.text << scene.Errors();
  ASSERT_FALSE(last.lines.empty());
  EXPECT_EQ(last.lines.back().value("event", ""), "run_ended") << last.text;
  EXPECT_EQ(last.lines.back().value("status", ""), "succeeded") << last.text;

  const RecordedFacts facts = ReadFacts(scene.RunFolder());
  ASSERT_TRUE(facts.readable);
  EXPECT_EQ(facts.run_ends, 1);
  const std::set<std::string> ended_before = EndedJobs(before);
  const std::set<std::string> ended_after = EndedJobs(last.lines);
  const std::map<std::string, int> notes = scene.Notes();
  for (const auto& [job, output] : QuickOutputs()) {
    SCOPED_TRACE(job);
    EXPECT_EQ(facts.job_ends.count(job) == 0 ? 0 : facts.job_ends.at(job), 1);
    if (ended_before.contains(job)) {
      EXPECT_EQ(notes.at(job), notes_before.at(job)) << "it ran again after it had ended";
      EXPECT_FALSE(ended_after.contains(job)) << "its end was told twice";
    }
    EXPECT_GE(notes.at(job), 1);
    const Ended logs = RunDayfly(scene.Command({"logs", scene.RunName(), job, "--raw"}));
    EXPECT_EQ(logs.exit_code, 0);
    // Tries that the crash cut off may stand in front.
    EXPECT_TRUE(logs.text.ends_with(output)) << logs.text;
    if (notes.at(job) == 1) {
      EXPECT_EQ(logs.text, output);
    }
  }
  for (const auto& [attempt, ends] : facts.attempt_ends) {
    EXPECT_EQ(ends, 1) << "attempt " << attempt.attempt;
  }
}

}  // namespace tests::crash
