// SPDX-License-Identifier: Apache-2.0
// Removes used workspace layers beside the work, at the lowest priority: one process, started with
// the first folder to remove, which ends when its keeper has and its list is done.
#pragma once

#include <string>

#include "executors/sandboxes/file_descriptor.h"

namespace executors::sandboxes {

class Janitor {
 public:
  /// Hands a folder over. Call only while the caller has no children: starting the janitor lets
  /// orphans go for a moment, so that it is not one of the caller's children itself.
  void Remove(const std::string& folder);

 private:
  void StartProcess();
  FileDescriptor list_;
};

}  // namespace executors::sandboxes
