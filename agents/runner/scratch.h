// SPDX-License-Identifier: Apache-2.0
// A slot's own folder: TMPDIR, scripts, a home. What an attempt leaves in TMPDIR is gone before the
// next one; while it stays empty that costs two system calls.
#pragma once

#include <dirent.h>
#include <functional>
#include <optional>
#include <string>

#include "engine/base/status.h"

namespace agents::runner {

class Scratch {
 public:
  Scratch() = default;
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// Makes `folder` (its parent exists) with what belongs in it.
  engine::base::Status Open(const std::string& folder);

  const std::string& folder() const { return folder_; }
  std::string tmp_folder() const { return folder_ + "/tmp"; }
  std::string home_folder() const { return folder_ + "/home"; }
  std::string script_path() const { return folder_ + "/script"; }

  /// For what background steps need, made and removed by who uses it.
  std::string background_folder() const { return folder_ + "/background"; }

  engine::base::Status WriteScript(const std::string& script);

  /// Makes TMPDIR empty and removes the script, which may hold a secret. When something lay in it,
  /// it is only moved aside; the path to remove, which may take long, is returned.
  engine::base::StatusOr<std::optional<std::string>> Clear();

 private:
  engine::base::Status OpenTmp();
  bool IsTmpEmpty();

  std::string folder_;
  DIR* tmp_ = nullptr;
  unsigned moved_ = 0;
  bool has_script_ = false;
};

/// Makes the file anew: whoever reads an older one may read on.
engine::base::Status WriteScript(const std::string& path, const std::string& script);

/// Removes `path` and all below it, following no link; what cannot be removed stays.
void RemoveTree(const std::string& path);

}  // namespace agents::runner
