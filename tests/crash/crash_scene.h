// SPDX-License-Identifier: Apache-2.0
// A folder with a small pipeline, a state folder of its own, and files outside the workspace in
// which each job notes that it ran.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/dayfly_process.h"

namespace tests::crash {

using support::DayflyProcess;
using support::Ended;
using support::Launch;
using support::Lines;
using support::RunDayfly;
using support::WaitForOrphans;

class CrashScene {
 public:
  CrashScene();
  ~CrashScene();
  CrashScene(const CrashScene&) = delete;
  CrashScene& operator=(const CrashScene&) = delete;

  void WritePipeline(const std::string& text) const;
  /// Needs one after another and side by side, a matrix, two steps, a `finally`; every job ends at
  /// once and notes under `ran()` that it ran.
  void WriteQuickPipeline() const;

  /// `crash_point` goes into `DAYFLY_CRASH_POINT` when it is not empty.
  Launch Run(const std::string& crash_point = "") const;
  Launch Resume(const std::string& run, const std::string& crash_point = "") const;
  Launch Command(std::vector<std::string> arguments, const std::string& crash_point = "") const;

  /// What the run's folder is called; empty when there is none.
  std::string RunName() const;
  std::string RunFolder() const { return home_ + "/runs/" + RunName(); }
  /// Everything on standard error so far, of all lives.
  std::string Errors() const;
  const std::string& ran() const { return ran_; }
  /// How often each job ran, by the notes.
  std::map<std::string, int> Notes() const;

 private:
  std::string root_, home_, source_, ran_;
};

/// The jobs of the quick pipeline and what each prints.
const std::map<std::string, std::string>& QuickOutputs();

/// Names of jobs that lines say have ended.
std::set<std::string> EndedJobs(const Lines& lines);

/// After the last life: the run succeeded, each job ended once, what had ended before the crash did
/// not run again, every output is there.
void ExpectWhole(const CrashScene& scene, const Ended& last, const Lines& before,
                 const std::map<std::string, int>& notes_before);

}  // namespace tests::crash
