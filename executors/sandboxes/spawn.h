// SPDX-License-Identifier: Apache-2.0
// Starts a program in a session of its own with exactly the given environment, at the cost of a
// vfork. For a single-threaded process with all signals blocked (the keeper).
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "engine/base/status.h"
#include "executors/sandboxes/file_descriptor.h"

namespace executors::sandboxes {

/// Where a child finds `SpawnRequest::keep_fd`.
inline constexpr int kKeptFd = 3;

struct SpawnRequest {
  const std::vector<std::string>* argv = nullptr;
  const std::vector<std::string>* env = nullptr;
  const char* extra_env = nullptr;  ///< one more `NAME=value`; null: none
  const char* workdir = nullptr;
  int input_fd = -1;   ///< becomes standard input
  int output_fd = -1;  ///< becomes standard output and error
  int keep_fd = -1;    ///< becomes descriptor `kKeptFd`; -1: none
  int cgroup_fd = -1;  ///< the child is born into this cgroup; -1: into the caller's
};

/// Starts children on a stack of their own, kept between calls.
class Spawner {
 public:
  Spawner();
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  /// The child's id. The child is killed when the caller dies. A program that cannot be started is
  /// `NotFound` or `PermissionDenied` and names what was tried; nothing is left to reap then.
  engine::base::StatusOr<pid_t> Spawn(const SpawnRequest& request);

 private:
  char* stack_ = nullptr;
};

}  // namespace executors::sandboxes
