// SPDX-License-Identifier: Apache-2.0
#include "store/git/git_command.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace store::git {
namespace {

namespace base = engine::base;
using Clock = std::chrono::steady_clock;

/// What is printed beyond this is not kept.
constexpr std::size_t kOutputMost = 8U << 20;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { Close(); }
  void Close() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

/// The credential as git's helpers say it, in memory that has no name.
base::StatusOr<Fd> InMemory(const GitCredential& credential) {
  if (credential.username.find_first_of("\n\r") != std::string::npos ||
      credential.password.find_first_of("\n\r") != std::string::npos) {
    return base::InvalidArgument("a git credential of more than one line");
  }
  Fd memory(memfd_create("dayfly-credential", MFD_CLOEXEC));
  const std::string text =
      "username=" + credential.username + "\npassword=" + credential.password + "\n";
  if (memory.get() < 0 ||
      write(memory.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return base::FromErrno(errno, "keep a credential in memory");
  }
  return memory;
}

/// Passed on when set: how the machine reaches the network, and an agent that holds ssh keys.
constexpr const char* kPassedOn[] = {"HOME",          "http_proxy",   "https_proxy",  "no_proxy",
                                     "HTTP_PROXY",    "HTTPS_PROXY",  "NO_PROXY",     "ALL_PROXY",
                                     "SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK"};

/// A hook's or a step's: they would point git at another repository, or change what it makes.
constexpr std::string_view kNotPassedOn[] = {"GIT_DIR=",
                                             "GIT_WORK_TREE=",
                                             "GIT_PREFIX=",
                                             "GIT_INDEX_FILE=",
                                             "GIT_COMMON_DIR=",
                                             "GIT_NAMESPACE=",
                                             "GIT_OBJECT_DIRECTORY=",
                                             "GIT_ALTERNATE_OBJECT_DIRECTORIES=",
                                             "GIT_QUARANTINE_PATH=",
                                             "GIT_GRAFT_FILE=",
                                             "GIT_SHALLOW_FILE=",
                                             "GIT_REPLACE_REF_BASE=",
                                             "GIT_NO_REPLACE_OBJECTS=",
                                             "GIT_IMPLICIT_WORK_TREE=",
                                             "GIT_INTERNAL_SUPER_PREFIX=",
                                             "GIT_DEFAULT_HASH=",
                                             "GIT_TERMINAL_PROMPT=",
                                             "LC_ALL="};

std::vector<std::string> CallersEnvironment() {
  std::vector<std::string> env = {"LC_ALL=C", "GIT_TERMINAL_PROMPT=0"};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (std::ranges::none_of(kNotPassedOn,
                             [&](std::string_view name) { return text.starts_with(name); })) {
      env.emplace_back(text);
    }
  }
  return env;
}

std::vector<std::string> Environment(int credential_fd) {
  const char* path = std::getenv("PATH");
  std::vector<std::string> env = {
      std::string("PATH=") + (path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path),
      "LC_ALL=C",
      "GIT_TERMINAL_PROMPT=0",
      "GIT_ASKPASS=",
      "SSH_ASKPASS=",
      "GIT_CONFIG_NOSYSTEM=1",
      "GIT_CONFIG_GLOBAL=/dev/null",
      "GIT_ALLOW_PROTOCOL=file:git:http:https:ssh",
      "GIT_SSH_COMMAND=ssh -o BatchMode=yes",
  };
  for (const char* name : kPassedOn) {
    if (const char* value = std::getenv(name)) {
      env.push_back(fmt::format("{}={}", name, value));
    }
  }
  if (credential_fd >= 0) {
    // The first entry empties the list of helpers. Only `get` is answered: nothing is stored.
    env.emplace_back("GIT_CONFIG_COUNT=2");
    env.emplace_back("GIT_CONFIG_KEY_0=credential.helper");
    env.emplace_back("GIT_CONFIG_VALUE_0=");
    env.emplace_back("GIT_CONFIG_KEY_1=credential.helper");
    env.push_back(
        fmt::format("GIT_CONFIG_VALUE_1=!f() {{ test \"$1\" = get && cat /proc/{}/fd/{}; }}; f",
                    getpid(), credential_fd));
  }
  return env;
}

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

base::StatusOr<pid_t> Spawn(const GitCommand& command, int output, int errors, int credential_fd) {
  std::vector<std::string> argv = {command.program};
  if (!command.folder.empty()) {
    argv.push_back("--git-dir=" + command.folder);
  }
  argv.insert(argv.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> env =
      command.as_caller ? CallersEnvironment() : Environment(credential_fd);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  // A session of its own: a group to be killed, and no terminal that ssh could ask at.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, command.program.c_str(), &actions, &attributes,
                                 Pointers(argv).data(), Pointers(env).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return base::FailedPrecondition("the program '{}' cannot be started: {}", command.program,
                                    base::Message(base::FromErrno(error, "")));
  }
  return pid;
}

/// Reads both ends until they close. False when `deadline` came first.
bool ReadBoth(Fd& output, Fd& errors, std::string& out, std::string& err,
              Clock::time_point deadline) {
  char buffer[16 << 10];
  while (output.get() >= 0 || errors.get() >= 0) {
    pollfd polled[2] = {{.fd = output.get(), .events = POLLIN, .revents = 0},
                        {.fd = errors.get(), .events = POLLIN, .revents = 0}};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0 || poll(polled, 2, static_cast<int>(left)) == 0) {
      return false;
    }
    for (int i = 0; i < 2; ++i) {
      Fd& from = i == 0 ? output : errors;
      std::string& to = i == 0 ? out : err;
      if (polled[i].revents == 0) {
        continue;
      }
      const ssize_t got = read(from.get(), buffer, sizeof buffer);
      if (got <= 0) {
        from.Close();
      } else if (to.size() < kOutputMost) {
        to.append(buffer, static_cast<std::size_t>(got));
      }
    }
  }
  return true;
}

/// The line that says that an object is gone; else the first that names a cause (what follows it
/// are consequences and advice), else the last.
std::string CauseIn(const std::string& errors) {
  std::string cause;
  std::string first;
  std::string last;
  for (std::size_t at = 0; at < errors.size();) {
    const std::size_t end = std::min(errors.find_first_of("\n\r", at), errors.size());
    std::string line = errors.substr(at, end - at);
    if (SaysObjectIsGone(line)) {
      return line;
    }
    if (cause.empty() && (line.starts_with("fatal: ") || line.starts_with("error: "))) {
      // Of a connection that failed the line before says why, of large files the first.
      const bool is_connections = line.ends_with("Could not read from remote repository.");
      const bool is_large_files = line.starts_with("error: failed to fetch some objects");
      cause = is_connections && !last.empty()    ? last
              : is_large_files && !first.empty() ? first
                                                 : line;
    }
    if (!line.empty()) {
      first = first.empty() ? line : first;
      last = std::move(line);
    }
    at = end + 1;
  }
  return cause.empty() ? last : cause;
}

}  // namespace

bool SaysObjectIsGone(std::string_view line) {
  const auto holds = [&](std::string_view text) {
    return line.find(text) != std::string_view::npos;
  };
  return (line.starts_with('[') && (holds("] Object does not exist") || holds(": [404] "))) ||
         line.starts_with("LFS: Repository or object not found: ") ||
         (line.starts_with("error transferring \"") && holds("] remote missing object "));
}

base::StatusOr<std::string> RunGit(const GitCommand& command) {
  Fd memory;
  if (command.credential.has_value()) {
    ASSIGN_OR_RETURN(memory, InMemory(*command.credential));
  }
  int out_ends[2];
  int err_ends[2];
  if (pipe2(out_ends, O_CLOEXEC) != 0) {
    return base::FromErrno(errno, "pipe");
  }
  Fd output(out_ends[0]);
  Fd output_end(out_ends[1]);
  if (pipe2(err_ends, O_CLOEXEC) != 0) {
    return base::FromErrno(errno, "pipe");
  }
  Fd errors(err_ends[0]);
  Fd errors_end(err_ends[1]);
  ASSIGN_OR_RETURN(const pid_t pid,
                   Spawn(command, output_end.get(), errors_end.get(), memory.get()));
  output_end.Close();
  errors_end.Close();
  std::string out;
  std::string err;
  const bool in_time = ReadBoth(output, errors, out, err, Clock::now() + command.timeout);
  if (!in_time) {
    kill(-pid, SIGKILL);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) {
    return base::MakeStatus(absl::StatusCode::kDeadlineExceeded,
                            fmt::format("git {} took too long", command.arguments.at(0)));
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return base::Unavailable("{}", CauseIn(err));
  }
  return out;
}

}  // namespace store::git
