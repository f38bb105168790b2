// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/spawn.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/check.h"

namespace executors::sandboxes {
namespace {

using engine::base::FromErrno;
using engine::base::NotFound;
using engine::base::PermissionDenied;
using engine::base::StatusOr;

constexpr std::size_t kStackBytes = 64 << 10;

/// What the child was doing when it failed.
enum class Stage { kNone, kSetUp, kWorkdir, kProgram };

/// All the child needs, made ready by the parent; the child shares the parent's memory and must
/// neither allocate nor change anything but the two results.
struct ChildPlan {
  pid_t parent = 0;
  int input_fd = -1;
  int output_fd = -1;
  int keep_fd = -1;
  int cgroup_procs_fd = -1;
  const char* workdir = nullptr;
  char* const* candidates = nullptr;  ///< paths to try, null at the end
  char** argv = nullptr;
  char** shell_argv = nullptr;  ///< for a script without `#!`; [1] is set to its path
  char** env = nullptr;

  int error = 0;
  Stage stage = Stage::kNone;
};

[[noreturn]] __attribute__((no_sanitize("address", "undefined", "thread"))) void Fail(
    ChildPlan* plan, Stage stage, int error) {
  plan->stage = stage;
  plan->error = error;
  syscall(SYS_exit_group, 127);
  __builtin_unreachable();
}

/// Tries each path as `execvp` does: goes on where there is nothing, remembers a refusal.
[[noreturn]] __attribute__((no_sanitize("address", "undefined", "thread"))) void Execute(
    ChildPlan* plan) {
  int error = ENOENT;
  for (char* const* path = plan->candidates; *path != nullptr; ++path) {
    syscall(SYS_execve, *path, plan->argv, plan->env);
    if (errno == ENOEXEC) {
      plan->shell_argv[1] = *path;
      syscall(SYS_execve, plan->shell_argv[0], plan->shell_argv, plan->env);
      error = ENOEXEC;
      break;
    }
    if (errno == EACCES || errno == EPERM) {
      error = EACCES;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      error = errno;
      break;
    }
  }
  Fail(plan, Stage::kProgram, error);
}

/// Runs in the child, on its own stack, in the parent's memory. Raw system calls only: the
/// library's wrappers may keep state.
__attribute__((no_sanitize("address", "undefined", "thread"))) int ChildMain(void* argument) {
  auto* plan = static_cast<ChildPlan*>(argument);
  syscall(SYS_setsid);
  syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // The parent may have died before the line above; then nobody would tell us.
  if (syscall(SYS_getppid) != plan->parent) {
    Fail(plan, Stage::kSetUp, ESRCH);
  }
  if (plan->cgroup_procs_fd >= 0 && syscall(SYS_write, plan->cgroup_procs_fd, "0", 1) < 0) {
    Fail(plan, Stage::kSetUp, errno);
  }
  if (syscall(SYS_dup3, plan->input_fd, 0, 0) < 0 || syscall(SYS_dup3, plan->output_fd, 1, 0) < 0 ||
      syscall(SYS_dup3, plan->output_fd, 2, 0) < 0) {
    Fail(plan, Stage::kSetUp, errno);
  }
  // `dup3` refuses to copy a descriptor to itself.
  if (plan->keep_fd >= 0 &&
      (plan->keep_fd == kKeptFd ? syscall(SYS_fcntl, kKeptFd, F_SETFD, 0)
                                : syscall(SYS_dup3, plan->keep_fd, kKeptFd, 0)) < 0) {
    Fail(plan, Stage::kSetUp, errno);
  }
  if (syscall(SYS_chdir, plan->workdir) < 0) {
    Fail(plan, Stage::kWorkdir, errno);
  }
  const std::uint64_t none = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
  Execute(plan);
}

/// `clone3` with a function for the child, which glibc does not offer. Answers like the system
/// call.
__attribute__((no_sanitize("address", "undefined", "thread"))) long Clone3(clone_args* arguments,
                                                                           int (*function)(void*),
                                                                           void* argument) {
#if defined(__x86_64__)
  long result = SYS_clone3;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "mov %[argument], %%rdi\n\t"
      "call *%[function]\n\t"
      "mov %%eax, %%edi\n\t"
      "mov %[exit], %%eax\n\t"
      "syscall\n"
      "1:"
      : "+a"(result)
      : "D"(arguments), "S"(sizeof(clone_args)), [function] "r"(function), [argument] "r"(argument),
        [exit] "i"(SYS_exit)
      : "rcx", "r11", "memory", "cc");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = SYS_clone3;
  register long x0 asm("x0") = reinterpret_cast<long>(arguments);
  register long x1 asm("x1") = sizeof(clone_args);
  asm volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x0, %[argument]\n\t"
      "blr %[function]\n\t"
      "mov x8, %[exit]\n\t"
      "svc #0\n"
      "1:"
      : "+r"(x0)
      : "r"(x1), "r"(x8), [function] "r"(function), [argument] "r"(argument), [exit] "i"(SYS_exit)
      : "memory", "cc", "x30");
  return x0;
#else
  (void)arguments;
  (void)function;
  (void)argument;
  return -ENOSYS;
#endif
}

/// Starts the child; returns its id or -errno. Suspends the caller until the child has executed its
/// program or failed.
long StartChild(ChildPlan& plan, char* stack, int cgroup_fd) {
  clone_args arguments{};
  arguments.flags = CLONE_VM | CLONE_VFORK;
  arguments.exit_signal = SIGCHLD;
  arguments.stack = reinterpret_cast<std::uint64_t>(stack);
  arguments.stack_size = kStackBytes;
  if (cgroup_fd >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup_fd);
  }
  const long result = Clone3(&arguments, ChildMain, &plan);
  if (result != -ENOSYS && result != -EPERM) {
    return result;
  }
  // An older kernel, or a container that filters clone3: the child moves itself instead, which is
  // slower (it takes a lock of the whole system).
  FileDescriptor procs;
  if (cgroup_fd >= 0) {
    procs = FileDescriptor(openat(cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC));
    if (!procs.valid()) {
      return -errno;
    }
    plan.cgroup_procs_fd = procs.get();
  }
  const int child = clone(ChildMain, stack + kStackBytes, CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
  return child < 0 ? -errno : child;
}

std::string_view PathOf(const std::vector<std::string>& env) {
  constexpr std::string_view kName = "PATH=";
  for (const auto& entry : env) {
    if (std::string_view(entry).starts_with(kName)) {
      return std::string_view(entry).substr(kName.size());
    }
  }
  return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

std::vector<std::string> Candidates(const std::string& program, std::string_view path) {
  if (program.find('/') != std::string::npos) {
    return {program};
  }
  std::vector<std::string> found;
  while (!program.empty()) {
    const auto colon = path.find(':');
    const auto folder = path.substr(0, colon);
    // An empty entry is the working directory, as in every shell.
    found.push_back(folder.empty() ? "./" + program : std::string(folder) + "/" + program);
    if (colon == std::string_view::npos) {
      break;
    }
    path.remove_prefix(colon + 1);
  }
  return found;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 2);
  for (const auto& text : texts) {
    pointers.push_back(const_cast<char*>(text.c_str()));
  }
  return pointers;
}

engine::base::Status Explain(const ChildPlan& plan, const SpawnRequest& request) {
  const auto& program = (*request.argv)[0];
  if (plan.stage == Stage::kWorkdir) {
    return FromErrno(plan.error, std::string("working directory ") + request.workdir);
  }
  if (plan.stage == Stage::kSetUp) {
    return FromErrno(plan.error, "preparing to start " + program);
  }
  switch (plan.error) {
    case ENOENT:
    case ENOTDIR:
      // The file may be there and its interpreter missing; `execve` says the same for both.
      return NotFound("{}: no such program{}", program,
                      program.find('/') == std::string::npos ? " in PATH" : ", or its interpreter");
    case EACCES:
      return PermissionDenied("{}: not executable", program);
    default:
      return FromErrno(plan.error, program);
  }
}

}  // namespace

Spawner::Spawner() {
  void* memory = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  CHECK(memory != MAP_FAILED);
  stack_ = static_cast<char*>(memory);
}

Spawner::~Spawner() {
  munmap(stack_, kStackBytes);
}

StatusOr<pid_t> Spawner::Spawn(const SpawnRequest& request) {
  if (request.argv->empty() || (*request.argv)[0].empty()) {
    return engine::base::InvalidArgument("a command without a program");
  }
  auto candidates = Candidates((*request.argv)[0], PathOf(*request.env));
  auto candidate_pointers = Pointers(candidates);
  candidate_pointers.push_back(nullptr);
  auto argv = Pointers(*request.argv);
  argv.push_back(nullptr);
  auto env = Pointers(*request.env);
  if (request.extra_env != nullptr) {
    env.push_back(const_cast<char*>(request.extra_env));
  }
  env.push_back(nullptr);
  std::string shell = "/bin/sh";
  std::vector<char*> shell_argv{shell.data(), nullptr};
  shell_argv.insert(shell_argv.end(), argv.begin() + 1, argv.end());

  ChildPlan plan{.parent = getpid(),
                 .input_fd = request.input_fd,
                 .output_fd = request.output_fd,
                 .keep_fd = request.keep_fd,
                 .workdir = request.workdir,
                 .candidates = candidate_pointers.data(),
                 .argv = argv.data(),
                 .shell_argv = shell_argv.data(),
                 .env = env.data()};
  const long child = StartChild(plan, stack_, request.cgroup_fd);
  if (child < 0) {
    return FromErrno(static_cast<int>(-child), "starting a process");
  }
  const auto pid = static_cast<pid_t>(child);
  if (plan.stage == Stage::kNone) {
    return pid;
  }
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return Explain(plan, request);
}

}  // namespace executors::sandboxes
