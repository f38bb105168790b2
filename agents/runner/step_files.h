// SPDX-License-Identifier: Apache-2.0
// The files a step writes to: `$DAYFLY_OUTPUT`, `$DAYFLY_ENV`, `$DAYFLY_SUMMARY`, `$DAYFLY_MASK`.
// They belong to the slot and are used again and again: a step that writes nothing costs four
// looks at a file's size. A step may also replace a file by another of the same name.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/runner/environment.h"
#include "engine/base/status.h"

namespace agents::runner {

using NameValues = std::vector<std::pair<std::string, std::string>>;

/// `NAME=value` lines and blocks `NAME<<END` … `END`, in order; blank lines count for nothing.
/// `InvalidArgument` names the line. Names are letters, digits, `_` and, after the first place,
/// `-`.
engine::base::StatusOr<NameValues> ParseNameValues(std::string_view text);

/// What one step left in the files.
struct StepNotes {
  NameValues outputs;
  NameValues env;
  std::string summary;
  std::vector<std::string> masks;
  /// Not OK: something in them is wrong; says which file and line. The rest is valid.
  engine::base::Status problem;
  bool empty() const {
    return outputs.empty() && env.empty() && summary.empty() && masks.empty() && problem.ok();
  }
};

/// Tells a command where the files in `folder` are.
void SetStepFiles(const std::string& folder, Environment& environment);

class StepFiles {
 public:
  static constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;

  StepFiles() = default;
  ~StepFiles();
  StepFiles(const StepFiles&) = delete;
  StepFiles& operator=(const StepFiles&) = delete;

  /// Makes the files in `folder`, which exists. With `adopt` those that are there stay as they are:
  /// a step of an earlier process may still write to them.
  engine::base::Status Open(const std::string& folder, bool adopt = false);

  /// What was written since `Empty`.
  StepNotes Read();
  void Empty();
  StepNotes Collect() {
    StepNotes notes = Read();
    Empty();
    return notes;
  }

  const std::string& output_path() const { return files_[0].path; }
  const std::string& env_path() const { return files_[1].path; }
  const std::string& summary_path() const { return files_[2].path; }
  const std::string& mask_path() const { return files_[3].path; }

 private:
  struct File {
    std::string path;
    int fd = -1;
    bool replaced = false;  ///< as `Read` found it
    bool written = false;
  };
  static engine::base::StatusOr<std::string> ReadOne(File& file, std::string_view name);
  engine::base::Status Reopen(File& file);
  std::array<File, 4> files_;
};

}  // namespace agents::runner
