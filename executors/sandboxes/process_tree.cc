// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/process_tree.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
#include <sys/syscall.h>
#include <unistd.h>

#include "executors/sandboxes/file_descriptor.h"

namespace executors::sandboxes {
namespace {

// How long one that starts its program is waited for.
constexpr int kLooksAtStart = 1000;
constexpr useconds_t kLookEveryMicroseconds = 200;

std::optional<pid_t> PidFromName(const char* name) {
  pid_t pid = 0;
  const auto* end = name + std::strlen(name);
  const auto [rest, error] = std::from_chars(name, end, pid);
  if (error != std::errc() || rest != end) {
    return std::nullopt;
  }
  return pid;
}

std::vector<pid_t> AllPids() {
  std::vector<pid_t> pids;
  DIR* folder = opendir("/proc");
  if (folder == nullptr) {
    return pids;
  }
  while (const dirent* entry = readdir(folder)) {
    if (const auto pid = PidFromName(entry->d_name)) {
      pids.push_back(*pid);
    }
  }
  closedir(folder);
  return pids;
}

std::string ReadProcFile(pid_t pid, const char* name) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  const FileDescriptor file(open(path, O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!file.valid()) {
    return text;
  }
  char buffer[4096];
  for (;;) {
    const auto bytes = read(file.get(), buffer, sizeof buffer);
    if (bytes <= 0) {
      return text;
    }
    text.append(buffer, static_cast<std::size_t>(bytes));
  }
}

std::optional<Process> ReadProcess(pid_t pid) {
  const auto stat = ReadProcFile(pid, "stat");
  // The name in parentheses may hold anything, also a closing one.
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  Process process{.pid = pid};
  constexpr const char* kFields =
      " %c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu";
  if (std::sscanf(stat.c_str() + name_end + 1, kFields, &process.state, &process.parent,
                  &process.group, &process.started) != 4) {
    return std::nullopt;
  }
  return process;
}

/// Whether `pid` is between two programs: from exec until the kernel has laid out the new one's
/// environment, it shows none. Not zombies and kernel threads, which have no program.
bool IsStartingProgram(pid_t pid) {
  constexpr int kEnvironmentEnd = 51;  // proc(5), counted from 1; 3 is the state after the name
  const auto stat = ReadProcFile(pid, "stat");
  std::size_t at = stat.rfind(')');
  for (int field = 2; field < kEnvironmentEnd && at != std::string::npos; ++field) {
    at = stat.find(' ', at + 1);
  }
  char link[64];
  char program[2];
  std::snprintf(link, sizeof link, "/proc/%d/exe", pid);
  return at != std::string::npos && stat.compare(at, 3, " 0 ") == 0 &&
         readlink(link, program, sizeof program) > 0;
}

/// As the program that it runs was started with it.
std::string EnvironmentOf(pid_t pid) {
  std::string environment = ReadProcFile(pid, "environ");
  for (int look = 0; environment.empty() && look < kLooksAtStart && IsStartingProgram(pid);
       ++look) {
    usleep(kLookEveryMicroseconds);
    environment = ReadProcFile(pid, "environ");
  }
  return environment;
}

/// The entry that is `mark`, or begins with it when it ends in `*`; empty: none.
std::string_view FindEntry(std::string_view environment, std::string_view mark) {
  const bool prefix = mark.ends_with('*');
  if (prefix) {
    mark.remove_suffix(1);
  }
  while (!environment.empty()) {
    const auto end = environment.find('\0');
    const auto entry = environment.substr(0, end);
    if (prefix ? entry.starts_with(mark) : entry == mark) {
      return entry;
    }
    if (end == std::string_view::npos) {
      break;
    }
    environment.remove_prefix(end + 1);
  }
  return {};
}

}  // namespace

std::vector<Process> DescendantsOf(pid_t root) {
  std::vector<Process> all;
  for (const auto pid : AllPids()) {
    if (auto process = ReadProcess(pid)) {
      all.push_back(*process);
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Process& a, const Process& b) { return a.parent < b.parent; });
  std::vector<Process> found;
  std::vector<pid_t> open{root};
  while (!open.empty()) {
    const auto parent = open.back();
    open.pop_back();
    auto it = std::lower_bound(all.begin(), all.end(), parent,
                               [](const Process& p, pid_t pid) { return p.parent < pid; });
    for (; it != all.end() && it->parent == parent; ++it) {
      // Parents are read one after the other, so a reused number could close a circle.
      if (it->pid != root && std::none_of(found.begin(), found.end(),
                                          [&](const Process& p) { return p.pid == it->pid; })) {
        found.push_back(*it);
        open.push_back(it->pid);
      }
    }
  }
  return found;
}

std::vector<Process> WithoutTrees(std::vector<Process> processes, const std::set<pid_t>& roots) {
  std::set<pid_t> inside = roots;
  std::erase_if(processes, [&](const Process& process) {
    if (inside.contains(process.parent)) {
      inside.insert(process.pid);
    }
    return inside.contains(process.pid);
  });
  return processes;
}

pid_t ParentOf(pid_t pid) {
  const auto process = ReadProcess(pid);
  return process ? process->parent : 0;
}

std::string MarkOf(pid_t pid, std::string_view mark) {
  const std::string environment = EnvironmentOf(pid);
  return std::string(FindEntry(environment, mark));
}

bool IsMarked(pid_t pid, std::string_view mark) {
  return !MarkOf(pid, mark).empty();
}

std::vector<pid_t> ProcessesMarked(std::string_view mark) {
  std::vector<pid_t> marked;
  for (const auto pid : AllPids()) {
    if (IsMarked(pid, mark)) {
      marked.push_back(pid);
    }
  }
  return marked;
}

bool SignalSame(const Process& process, int signal) {
  return SignalIf(process.pid, signal, [&] {
    const auto now = ReadProcess(process.pid);
    return now && now->started == process.started;
  });
}

bool SignalIf(pid_t pid, int signal, const std::function<bool()>& still) {
  const FileDescriptor held(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!held.valid() || !still()) {
    return false;
  }
  return syscall(SYS_pidfd_send_signal, held.get(), signal, nullptr, 0) == 0;
}

}  // namespace executors::sandboxes
