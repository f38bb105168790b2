// SPDX-License-Identifier: Apache-2.0
#include "executors/providers/agent_process.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "executors/sandboxes/process_tree.h"

namespace executors::providers {
namespace {

using engine::base::FromErrno;
using engine::base::StatusOr;
using sandboxes::FileDescriptor;

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) {
    pointers.push_back(const_cast<char*>(word.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

FileDescriptor Hold(pid_t pid) {
  return FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

/// A pipe that holds `text` and then ends.
StatusOr<FileDescriptor> InputOf(const std::string& text) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return FromErrno(errno, "pipe");
  }
  FileDescriptor read_end(ends[0]);
  const FileDescriptor write_end(ends[1]);
  if (write(write_end.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return FromErrno(errno, "write the agent's input");
  }
  return read_end;
}

}  // namespace

std::string LaunchMark(std::string_view folder, std::string_view launch) {
  return fmt::format("DAYFLY_LAUNCH={}#{}", folder, launch);
}

StatusOr<HeldProcess> StartAgent(const AgentStart& start) {
  ASSIGN_OR_RETURN(const FileDescriptor input, InputOf(start.input));
  const FileDescriptor log(
      open(start.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log.valid()) {
    return FromErrno(errno, start.log);
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, log.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, log.get(), STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, start.program.c_str(), &actions, &attributes,
                                Pointers(start.argv).data(), Pointers(start.env).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return FromErrno(error, "start the agent " + start.program);
  }
  return HeldProcess{.pid = pid, .is_child = true, .fd = Hold(pid)};
}

std::map<std::string, HeldProcess> FindAgents(const std::string& folder) {
  std::map<std::string, HeldProcess> found;
  const std::string prefix = LaunchMark(folder, "");
  for (const pid_t pid : sandboxes::ProcessesMarked(prefix + "*")) {
    HeldProcess process{.pid = pid, .is_child = false, .fd = Hold(pid)};
    // Read once it is held: before, the number might have become another's.
    const std::string mark = process.fd.valid() ? sandboxes::MarkOf(pid, prefix + "*") : "";
    if (mark.size() > prefix.size()) {
      found.emplace(mark.substr(prefix.size()), std::move(process));
    }
  }
  return found;
}

void Signal(const HeldProcess& process, int signal) {
  syscall(SYS_pidfd_send_signal, process.fd.get(), signal, nullptr, 0);
}

std::string HowItEnded(const HeldProcess& process) {
  siginfo_t info{};
  if (!process.is_child ||
      waitid(P_PID, static_cast<id_t>(process.pid), &info, WEXITED | WNOHANG) != 0 ||
      info.si_pid == 0) {
    return "it ended";
  }
  return info.si_code == CLD_EXITED ? fmt::format("exit code {}", info.si_status)
                                    : fmt::format("killed by signal {}", info.si_status);
}

}  // namespace executors::providers
