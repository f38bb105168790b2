// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/keeper.h"

#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "executors/sandboxes/keeper_loop.h"

namespace executors::sandboxes {
namespace {

std::optional<int> FdFromText(std::string_view text) {
  int fd = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fd);
  if (error != std::errc() || end != text.data() + text.size() || fd < 3) {
    return std::nullopt;
  }
  return fd;
}

/// Everything at its default, so that commands inherit nothing (a shell started with `nohup`
/// ignores SIGHUP, for one), and then blocked: signals are read, never handled.
void TakeOverSignals() {
  // By the system call: the library does not touch the signals it keeps for itself, but they can be
  // inherited as ignored like others.
  const std::array<std::uint64_t, 4> by_default{};
  for (int signal = 1; signal < NSIG; ++signal) {
    syscall(SYS_rt_sigaction, signal, by_default.data(), nullptr, sizeof(std::uint64_t));
  }
  struct sigaction children {};
  children.sa_handler = SIG_DFL;
  children.sa_flags = SA_NOCLDSTOP;
  sigaction(SIGCHLD, &children, nullptr);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
}

/// Holds nothing of the owner's: no terminal, no pipe, no folder. Standard error stays, for
/// defects.
void LetGoOfOwnersThings(int fd) {
  setsid();
  if (chdir("/") != 0) {
    std::perror("keeper: chdir");
  }
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, 0);
    dup2(null, 1);
    close(null);
  }
  if (fd > 3) {
    close_range(3, static_cast<unsigned>(fd - 1), 0);
  }
  close_range(static_cast<unsigned>(fd + 1), ~0U, 0);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
}

}  // namespace

bool IsKeeperCall(int argc, char** argv) {
  return argc == 4 && std::strcmp(argv[1], "keeper") == 0 && std::strcmp(argv[2], "--fd") == 0;
}

int KeeperMain(int argc, char** argv) {
  const auto fd = IsKeeperCall(argc, argv) ? FdFromText(argv[3]) : std::nullopt;
  if (!fd || fcntl(*fd, F_GETFD) < 0) {
    std::fprintf(stderr, "keeper: started by dayfly only, as `keeper --fd N`\n");
    return 2;
  }
  TakeOverSignals();
  LetGoOfOwnersThings(*fd);
  prctl(PR_SET_NAME, "dayfly-keeper");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  KeeperLoop loop{FileDescriptor(*fd)};
  return loop.Run();
}

}  // namespace executors::sandboxes
