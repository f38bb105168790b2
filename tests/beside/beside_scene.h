// SPDX-License-Identifier: Apache-2.0
// For tests: `dayfly run` of a pipeline in folders of its own.
#pragma once

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/dayfly_process.h"
#include "tests/support/temp_folder.h"

namespace tests::beside {

class BesideTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(folder_.File("source")); }

  void Pipeline(const std::string& text) { std::ofstream(folder_.File("source/p.yml")) << text; }
  void Source(const std::string& name, const std::string& text) {
    std::ofstream(folder_.File("source/" + name)) << text;
  }
  support::Launch Launch(std::vector<std::string> arguments) const {
    return {.arguments = std::move(arguments),
            .env = {"DAYFLY_HOME=" + folder_.File("home"), "HOME=" + folder_.path().string(),
                    "PATH=/usr/local/bin:/usr/bin:/bin"},
            .folder = folder_.File("source"),
            .errors = folder_.File("errors")};
  }
  support::Ended Dayfly(std::vector<std::string> arguments) const {
    return support::RunDayfly(Launch(std::move(arguments)));
  }
  support::Ended Run() const { return Dayfly({"run", "p.yml", "--output", "json"}); }
  std::string Logs(const std::string& job, const std::string& step) const {
    return Dayfly({"logs", "latest", job, step, "--raw"}).text;
  }
  /// The line about the end of that step, or of the job.
  static nlohmann::json EndOf(const support::Ended& run, const std::string& job,
                              const std::string& step = "") {
    for (const nlohmann::json& line : run.lines) {
      const bool is_end = line["event"] == (step.empty() ? "job_ended" : "step_ended");
      if (is_end && line["job"] == job && (step.empty() || line["step"] == step)) {
        return line;
      }
    }
    return {};
  }
  std::string Fifo(const std::string& name) const {
    const std::string path = folder_.File(name);
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  static std::string ReadLine(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
  }
  /// A process of that number is there and not a zombie.
  static bool IsAlive(const std::string& pid) {
    std::ifstream stat("/proc/" + pid + "/stat");
    std::string text;
    std::getline(stat, text);
    return !text.empty() && text.find(") Z ") == std::string::npos;
  }

  support::TempFolder folder_;
};

}  // namespace tests::beside
