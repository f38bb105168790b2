// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/measure.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bench/driver/process_tree.h"

namespace bench::driver {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point from) {
  return std::chrono::duration<double>(Clock::now() - from).count();
}

double SecondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

[[noreturn]] void Fail(const char* what) {
  const int error = errno;
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(error));
  ::_exit(127);
}

void Redirect(const std::string& path, int target) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0 || ::dup2(file, target) < 0) {
    Fail(path.c_str());
  }
}

/// In the child.
[[noreturn]] void Exec(const Command& command) {
  if (!command.folder.empty() && ::chdir(command.folder.c_str()) != 0) {
    Fail(command.folder.c_str());
  }
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  Redirect(command.output.empty() ? "/dev/null" : command.output, STDOUT_FILENO);
  if (!command.errors.empty()) {
    Redirect(command.errors, STDERR_FILENO);
  }
  for (const std::string& entry : command.env) {
    const std::size_t equals = entry.find('=');
    ::setenv(entry.substr(0, equals).c_str(), entry.substr(equals + 1).c_str(), 1);
  }
  std::vector<char*> argv;
  for (const std::string& word : command.argv) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  Fail(argv[0]);
}

/// Looks at the tree's memory until the process ends.
std::uint64_t SampleUntilExit(pid_t pid, std::chrono::milliseconds interval) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    return 0;
  }
  std::uint64_t peak = 0;
  pollfd ended{pidfd, POLLIN, 0};
  while (::poll(&ended, 1, static_cast<int>(interval.count())) == 0) {
    peak = std::max(peak, TreeResidentBytes(pid));
  }
  ::close(pidfd);
  return peak;
}

}  // namespace

Measured Measure(const Command& command, std::chrono::milliseconds sample) {
  Measured measured;
  const Clock::time_point from = Clock::now();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return measured;
  }
  if (pid == 0) {
    Exec(command);
  }
  measured.started = true;
  if (sample.count() > 0) {
    measured.rss_tree = SampleUntilExit(pid, sample);
  }
  int status = 0;
  rusage usage{};
  while (::wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  measured.wall = SecondsSince(from);
  measured.cpu = SecondsOf(usage.ru_utime) + SecondsOf(usage.ru_stime);
  measured.rss_process = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  measured.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return measured;
}

Measured MustRun(const Command& command, std::chrono::milliseconds sample) {
  const Measured measured = Measure(command, sample);
  if (measured.exit_code != 0) {
    std::fputs(fmt::format("bench: exit code {} of: {}\n", measured.exit_code,
                           fmt::join(command.argv, " "))
                   .c_str(),
               stderr);
    std::exit(1);
  }
  return measured;
}

}  // namespace bench::driver
