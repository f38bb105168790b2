// SPDX-License-Identifier: Apache-2.0
// For tests of `dayfly run`: a folder with a pipeline in it, a home of its own, and the commands
// there.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/dayfly_process.h"
#include "tests/support/temp_folder.h"

namespace tests::support {

class DayflyFolder : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(folder_.File("source")); }
  void Pipeline(const std::string& text) const {
    std::ofstream(folder_.File("source/p.yml")) << text;
  }
  Launch LaunchOf(std::vector<std::string> arguments) const {
    return {.arguments = std::move(arguments),
            .env = {"DAYFLY_HOME=" + folder_.File("home"), "HOME=" + folder_.path().string(),
                    "PATH=/usr/bin:/bin", "LANG=C.UTF-8"},
            .folder = folder_.File("source"),
            .errors = folder_.File("errors")};
  }
  Ended Dayfly(std::vector<std::string> arguments) const {
    return RunDayfly(LaunchOf(std::move(arguments)));
  }
  /// What the steps of a job of the last run wrote.
  std::string Logs(const std::string& job) const {
    return Dayfly({"logs", "latest", job, "--raw"}).text;
  }

  TempFolder folder_;
};

}  // namespace tests::support
