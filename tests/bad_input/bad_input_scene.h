// SPDX-License-Identifier: Apache-2.0
// A folder to run `dayfly` in, a state folder of its own, and a folder that steps and test share.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/dayfly_process.h"
#include "tests/support/temp_folder.h"

namespace tests::bad_input {

struct Outcome {
  int exit_code = 0;
  std::string out;     ///< standard output
  std::string errors;  ///< standard error
  support::Lines lines;
};

class BadInput : public ::testing::Test {
 protected:
  BadInput();
  ~BadInput() override;

  /// Where `dayfly` is called, `$DAYFLY_HOME`, and what steps know as `$SHARED`.
  const std::string& source() const { return source_; }
  const std::string& home() const { return home_; }
  const std::string& shared() const { return shared_; }

  /// `name` below `source()`.
  void Write(const std::string& name, const std::string& text) const;
  /// `p.yml`: a pipeline with these jobs, which know `$SHARED`.
  void WriteJobs(const std::string& jobs) const;
  std::string Shared(const std::string& name) const;

  support::Launch LaunchOf(std::vector<std::string> arguments);
  Outcome Dayfly(std::vector<std::string> arguments);
  /// `run p.yml --output json` with two workers.
  Outcome RunPipeline();
  support::Launch RunLaunch();
  /// What the newest launch wrote on standard error so far.
  std::string Errors() const;

  /// Ids of all runs that are recorded, as `dayfly runs` lists them.
  std::vector<std::string> Runs();
  /// The exact bytes that the job's steps wrote.
  std::string RawLog(const std::string& job);

  /// A pipe that test and steps meet at.
  std::string Fifo(const std::string& name) const;
  /// Waits until somebody opens the pipe and writes a line; a failed test after 20 s.
  static void AwaitLine(const std::string& fifo);
  /// Lets one step go on that reads a line from the pipe, now or later.
  void LetPass(const std::string& fifo);

  support::TempFolder root_;

 private:
  std::string source_, home_, shared_;
  int launches_ = 0;
  std::vector<int> gates_;
};

/// The value of `key` in the last line; empty when there is none.
std::string LastOf(const Outcome& outcome, const std::string& key);

}  // namespace tests::bad_input
