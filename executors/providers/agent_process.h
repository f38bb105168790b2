// SPDX-License-Identifier: Apache-2.0
// An agent as a process of this machine: starting it, finding it again, holding it by a descriptor,
// saying how it ended.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "engine/base/status.h"
#include "executors/sandboxes/file_descriptor.h"

namespace executors::providers {

struct AgentStart {
  std::string program;
  std::vector<std::string> argv;
  std::vector<std::string> env;  ///< complete
  std::string input;             ///< what it reads from standard input, at most 64 KiB
  std::string log;               ///< file for what it prints
};

/// A process that is held, so that its number cannot become another's.
struct HeldProcess {
  pid_t pid = 0;
  bool is_child = false;  ///< only then is it known how it ended
  sandboxes::FileDescriptor fd;
};

/// In a session of its own. `NotFound`, `PermissionDenied`: the program; `ResourceExhausted`: the
/// machine has no room for another process.
engine::base::StatusOr<HeldProcess> StartAgent(const AgentStart& start);

/// The environment entry that names an agent's launch.
std::string LaunchMark(std::string_view folder, std::string_view launch);
/// Living agents of providers of this folder, by launch.
std::map<std::string, HeldProcess> FindAgents(const std::string& folder);

void Signal(const HeldProcess& process, int signal);
/// Of a process that has ended: "exit code 1", "killed by signal 9". Reaps a child.
std::string HowItEnded(const HeldProcess& process);

}  // namespace executors::providers
