// SPDX-License-Identifier: Apache-2.0
#include "tests/support/postgres_cluster.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "engine/base/check.h"

namespace tests::support {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrograms = "/usr/lib/postgresql/15/bin";

std::string Program(const char* name) {
  return fmt::format("{}/{}", kPrograms, name);
}

// The process that started `pid`: the second field behind the name, which may hold anything.
pid_t ParentOf(const std::string& pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string stat((std::istreambuf_iterator<char>(file)), {});
  stat.erase(0, stat.rfind(')') + 1);
  std::istringstream fields(stat);
  char state = 0;
  pid_t parent = 0;
  fields >> state >> parent;
  return parent;
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos && ParentOf(name) == parent) {
      children.push_back(static_cast<pid_t>(std::stol(name)));
    }
  }
  return children;
}

// A process that is not our child, held so that its number cannot become another's meanwhile.
class ForeignProcess {
 public:
  explicit ForeignProcess(pid_t pid)
      : descriptor_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  ~ForeignProcess() {
    if (descriptor_ >= 0) {
      close(descriptor_);
    }
  }
  ForeignProcess(ForeignProcess&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ForeignProcess& operator=(ForeignProcess&&) = delete;

  void Kill() const {
    if (descriptor_ >= 0) {
      syscall(SYS_pidfd_send_signal, descriptor_, SIGKILL, nullptr, 0);
    }
  }
  void AwaitEnd() const {
    pollfd ended{descriptor_, POLLIN, 0};
    while (descriptor_ >= 0 && poll(&ended, 1, -1) < 0) {
    }
  }

 private:
  int descriptor_;
};

void BecomeUser(uid_t user, gid_t group) {
  if (geteuid() == 0 && user != 0) {
    if (setgroups(1, &group) != 0 || setgid(group) != 0 || setuid(user) != 0) {
      _exit(126);
    }
  }
}

[[noreturn]] void Become(const std::vector<std::string>& command, uid_t user, gid_t group,
                         const std::string& log) {
  BecomeUser(user, group);
  // After the change of user, which forgets it. SIGQUIT: leave at once, with all processes.
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (const std::string& word : command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  _exit(127);
}

}  // namespace

PostgresCluster::PostgresCluster(const ClusterOptions& options) : options_(options) {
  CHECK_MSG(fs::exists(Program("postgres")), "PostgreSQL 15 is missing: scripts/bootstrap");
  const fs::path parent =
      options_.parent.empty() ? fs::temp_directory_path() : fs::path(options_.parent);
  std::string pattern = (parent / "dayfly-pg-XXXXXX").string();
  CHECK(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  user_ = geteuid();
  group_ = getegid();
  if (user_ == 0) {
    // PostgreSQL refuses to run as root.
    const passwd* other = getpwnam("postgres");
    other = other != nullptr ? other : getpwnam("nobody");
    CHECK_MSG(other != nullptr, "neither a user postgres nor nobody");
    user_ = other->pw_uid;
    group_ = other->pw_gid;
    CHECK(chown(folder_.c_str(), user_, group_) == 0);
  }
  InitDatabases();
  Start();
}

PostgresCluster::~PostgresCluster() {
  if (server_ != 0) {
    Kill();
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

pid_t PostgresCluster::Spawn(const std::vector<std::string>& command) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    Become(command, user_, group_, folder_ + "/log");
  }
  return child;
}

void PostgresCluster::Run(const std::vector<std::string>& command, int wanted_status) {
  int status = 0;
  CHECK(waitpid(Spawn(command), &status, 0) > 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != wanted_status) {
    CHECK_MSG(false, (command[0] + " failed:\n" + Log()).c_str());
  }
}

std::string PostgresCluster::Log() const {
  std::ifstream log(folder_ + "/log");
  return {std::istreambuf_iterator<char>(log), {}};
}

// What initdb writes need not survive a power cut; what the server writes later does.
void PostgresCluster::InitDatabases() {
  Run({Program("initdb"), "-D", folder_ + "/data", "-U", "dayfly", "--auth=trust", "--no-sync",
       "--no-instructions", "--encoding=UTF8", "--locale=C"},
      0);
}

void PostgresCluster::Start() {
  CHECK(server_ == 0);
  std::vector<std::string> command = {
      Program("postgres"), "-D", folder_ + "/data", "-k", folder_, "-c", "listen_addresses="};
  if (!options_.durable) {
    // A disk that is busy with others' writes holds a flush up for longer than we wait for a
    // database.
    command.insert(command.end(), {"-c", "fsync=off"});
  }
  for (const std::string& setting : options_.settings) {
    command.insert(command.end(), {"-c", setting});
  }
  server_ = Spawn(command);
  while (!TakesConnections()) {
    if (waitpid(server_, nullptr, WNOHANG) != 0) {
      CHECK_MSG(false, ("the server ended while starting:\n" + Log()).c_str());
    }
  }
}

// pg_isready blocks until it has an answer, so that asking again and again is no busy loop.
bool PostgresCluster::TakesConnections() {
  int status = 0;
  CHECK(
      waitpid(Spawn({Program("pg_isready"), "-q", "-h", folder_, "-U", "dayfly", "-d", "postgres"}),
              &status, 0) > 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void PostgresCluster::Kill() {
  CHECK(server_ != 0);
  // Stopped, the postmaster starts nobody: a process that we did not see would keep the shared
  // memory, and the next postmaster refuses to start beside it.
  kill(server_, SIGSTOP);
  CHECK(waitpid(server_, nullptr, WUNTRACED) == server_);
  std::vector<ForeignProcess> processes;
  for (const pid_t child : ChildrenOf(server_)) {
    processes.emplace_back(child);
  }
  // The postmaster first: it would otherwise begin to recover.
  kill(server_, SIGKILL);
  for (const ForeignProcess& process : processes) {
    process.Kill();
  }
  CHECK(waitpid(server_, nullptr, 0) == server_);
  for (const ForeignProcess& process : processes) {
    process.AwaitEnd();
  }
  server_ = 0;
}

void PostgresCluster::Stop() {
  CHECK(server_ != 0);
  kill(server_, SIGINT);
  CHECK(waitpid(server_, nullptr, 0) == server_);
  server_ = 0;
}

std::string PostgresCluster::NewDatabase() {
  const std::string name = fmt::format("d{}", ++databases_);
  Run({Program("createdb"), "-h", folder_, "-U", "dayfly", name}, 0);
  return fmt::format("host={} user=dayfly dbname={}", folder_, name);
}

PostgresCluster& SharedCluster() {
  static PostgresCluster cluster;
  return cluster;
}

}  // namespace tests::support
