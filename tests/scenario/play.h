// SPDX-License-Identifier: Apache-2.0
// Plays a transcript. A file in this folder is
//   prose: what the scenario shows
//   --- pipeline
//   YAML, compiled as `dayfly run` would
//   --- play
//   > a command            (README.md lists them)
//   0s job_readied …       what followed: facts with the time since the beginning,
//   -> dispatch …          effects,
//   refused …              and refusals
// Playing gives the same file with what follows each command as it is now.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/core/core.h"
#include "tests/support/core_driver.h"

namespace tests::scenario {

/// The file as it would be written now. What cannot be played stands in it as `error: …`.
std::string Play(const std::string& file);

/// One scenario under way.
class Stage {
 public:
  explicit Stage(const engine::model::PlanRef& plan) : driver_(plan) {}

  /// What followed the command, line by line.
  std::string Perform(const std::string& command);

 private:
  /// The words of a command, taken one after the other.
  class Words;

  void Interpret(const std::string& command);
  void Worker(Words words);
  void Submit(Words words);
  void ReportStarted(Words words);
  void ReportStep(Words words);
  void ReportEnded(Words words);
  void At(Words words);
  void Explain(Words words);
  void Outstanding(Words words);
  void Cancel(Words words);
  void Close(Words words);
  void Approve(Words words);

  /// A job of a run: `deploy` of the first, `2:deploy` of the second.
  struct JobOfRun {
    engine::model::RunId run;
    engine::model::JobIndex job;
  };
  JobOfRun JobNamed(const std::string& name);
  /// Under the lease of the job's live attempt, or what the words say: `as attempt 1 worker 2`.
  void Report(const std::string& job, Words words, engine::model::Report report);
  void Step(const engine::model::Input& input);
  void ShowLast();
  void ShowFact(const engine::model::Fact& fact);
  void ShowEffect(const engine::model::Effect& effect);
  std::string NameOf(engine::model::RunId run, engine::model::JobIndex job) const;
  std::string NameOf(const engine::model::AttemptKey& key) const {
    return NameOf(key.run, key.job);
  }
  void Line(std::string text);
  void Fail(std::string what);

  support::CoreDriver driver_;
  engine::base::Instant began_ = driver_.now();
  std::string out_;
};

}  // namespace tests::scenario
