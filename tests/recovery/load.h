// SPDX-License-Identifier: Apache-2.0
// People who submit small runs one after the other and watch each to its end, over the real client,
// from threads of this process. They are patient: a call goes on over servers that come and go.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/client/connection.h"
#include "tests/recovery/history.h"

namespace tests::recovery {

struct LoadOptions {
  api::client::Target target;
  std::string marks;  ///< the file to which each job's step adds its line: run, job, attempt
  int people = 3;
};

class Load {
 public:
  /// Begins at once.
  explicit Load(LoadOptions options);
  ~Load();

  /// Until people have seen so many facts more than now. False: one of them gave up.
  bool AwaitFacts(std::uint64_t more);
  /// No more runs are begun; returns when all that were have ended.
  void Finish();

  /// After `Finish`.
  const std::vector<Submitted>& submitted() const { return submitted_; }
  const std::vector<std::string>& troubles() const { return troubles_; }

 private:
  void Work(int person);
  bool RunOne(api::client::Connection& connection, const std::string& key);
  void Saw();
  void Note(const Submitted& submitted);
  bool GiveUp(const std::string& trouble);

  LoadOptions options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Under `mutex_`:
  std::uint64_t facts_ = 0;
  bool finishing_ = false;
  std::vector<Submitted> submitted_;
  std::vector<std::string> troubles_;
  std::vector<std::thread> people_;
};

}  // namespace tests::recovery
