// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dayfly_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace tests::support {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) {
    pointers.push_back(const_cast<char*>(word.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void Exec(const Launch& launch, int output) {
  const int null = ::open("/dev/null", O_RDONLY);
  const int errors = ::open(launch.errors.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(null, STDIN_FILENO);
  const bool to_file = !launch.output.empty();
  ::dup2(to_file ? ::open(launch.output.c_str(), O_WRONLY) : output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  if (launch.close_streams) {
    ::close(STDIN_FILENO);
    ::close(STDOUT_FILENO);
  }
  std::vector<std::string> words{DAYFLY_BINARY};
  words.insert(words.end(), launch.arguments.begin(), launch.arguments.end());
  if (::chdir(launch.folder.c_str()) == 0) {
    ::execve(DAYFLY_BINARY, Pointers(words).data(), Pointers(launch.env).data());
  }
  ::_exit(127);
}

}  // namespace

DayflyProcess::DayflyProcess(const Launch& launch) {
  // What a killed one leaves comes to us, so that tests can see whether it leaves anything.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    return;
  }
  pid_ = ::fork();
  if (pid_ == 0) {
    Exec(launch, pipe[1]);
  }
  ::close(pipe[1]);
  output_ = pipe[0];
}

DayflyProcess::~DayflyProcess() {
  if (!waited_) {
    Kill();
    Wait();
  }
  ::close(output_);
}

bool DayflyProcess::Fill() {
  std::array<char, 4096> bytes{};
  ssize_t count = 0;
  do {
    count = ::read(output_, bytes.data(), bytes.size());
  } while (count < 0 && errno == EINTR);
  buffer_.append(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return count > 0;
}

bool DayflyProcess::ReadLine(std::string& line) {
  std::size_t end = buffer_.find('\n');
  while (end == std::string::npos) {
    if (!Fill()) {
      return false;
    }
    end = buffer_.find('\n');
  }
  line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return true;
}

std::string DayflyProcess::ReadRest() {
  while (Fill()) {
  }
  return std::exchange(buffer_, {});
}

void DayflyProcess::Kill() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
  }
}

int DayflyProcess::Wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) {
      return -1;
    }
  }
  waited_ = true;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Ended RunDayfly(const Launch& launch, const std::function<bool(const nlohmann::json&)>& stop) {
  DayflyProcess process(launch);
  Ended ended;
  std::string line;
  while (process.ReadLine(line)) {
    ended.text += line + "\n";
    ended.lines.push_back(nlohmann::json::parse(line, nullptr, false));
    if (stop && stop(ended.lines.back())) {
      process.Kill();
      break;
    }
  }
  ended.exit_code = process.Wait();
  return ended;
}

bool WaitForOrphans(int seconds) {
  // Nothing else is waited for here, so taking any child's exit takes nobody's. The alarm
  // interrupts the wait.
  struct sigaction on_alarm {};
  on_alarm.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &on_alarm, nullptr);
  ::alarm(static_cast<unsigned>(seconds));
  siginfo_t ended{};
  while (::waitid(P_ALL, 0, &ended, WEXITED) == 0) {
  }
  const bool none_left = errno == ECHILD;
  ::alarm(0);
  return none_left;
}

}  // namespace tests::support
