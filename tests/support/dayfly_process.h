// SPDX-License-Identifier: Apache-2.0
// A `dayfly` process whose JSON lines are read one by one, so that it can be killed at any of them.
// A test process that starts one is from then on the reaper of whatever that leaves behind.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

#include <nlohmann/json.hpp>

namespace tests::support {

struct Launch {
  std::vector<std::string> arguments;  ///< after the program's name
  std::vector<std::string> env;        ///< complete
  std::string folder;
  std::string errors;          ///< file for standard error
  std::string output;          ///< file for standard output in place of our pipe, when not empty
  bool close_streams = false;  ///< starts without standard input and output
};

class DayflyProcess {
 public:
  explicit DayflyProcess(const Launch& launch);
  /// Kills it when it is still there.
  ~DayflyProcess();
  DayflyProcess(const DayflyProcess&) = delete;
  DayflyProcess& operator=(const DayflyProcess&) = delete;

  /// The next line of standard output; false at its end.
  bool ReadLine(std::string& line);
  /// All that is still to come of standard output, byte for byte.
  std::string ReadRest();
  void Kill();
  /// Exit code; 128 + signal when a signal ended it.
  int Wait();
  pid_t pid() const { return pid_; }

 private:
  /// Reads more into `buffer_`; false at the output's end.
  bool Fill();

  pid_t pid_ = -1;
  int output_ = -1;
  bool waited_ = false;
  std::string buffer_;
};

using Lines = std::vector<nlohmann::json>;
struct Ended {
  int exit_code = 0;
  Lines lines;
  std::string text;  ///< standard output as it came
};

/// Reads to the end, or until `stop` says so of a line: then SIGKILL, and only the lines up to
/// there are in the result.
Ended RunDayfly(const Launch& launch,
                const std::function<bool(const nlohmann::json& line)>& stop = nullptr);

/// Waits until all processes that were left to this test process have ended: the keepers and steps
/// of a killed `dayfly`. False when some have not after `seconds`.
bool WaitForOrphans(int seconds);

}  // namespace tests::support
