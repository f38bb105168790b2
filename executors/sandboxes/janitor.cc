// SPDX-License-Identifier: Apache-2.0
#include "executors/sandboxes/janitor.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "executors/sandboxes/tree_files.h"

namespace executors::sandboxes {
namespace {

/// Names on the list are separated by NUL: a path may hold a newline.
[[noreturn]] void RunJanitor(int list_fd) {
  setsid();
  setpriority(PRIO_PROCESS, 0, 19);
  syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
  prctl(PR_SET_NAME, "dayfly-janitor");
  // Nothing of the keeper's may stay open here, or its owner would not see it go.
  if (list_fd != 3) {
    dup2(list_fd, 3);
  }
  close_range(4, ~0U, 0);
  for (int fd = 0; fd < 3; ++fd) {
    close(fd);
  }
  std::string folder;
  char byte = 0;
  while (read(3, &byte, 1) == 1) {
    if (byte != '\0') {
      folder.push_back(byte);
      continue;
    }
    RemoveTree(folder);
    folder.clear();
  }
  _exit(0);
}

}  // namespace

void Janitor::StartProcess() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return;
  }
  FileDescriptor in(ends[0]);
  FileDescriptor out(ends[1]);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  const pid_t middle = fork();
  if (middle == 0) {
    const pid_t janitor = fork();
    if (janitor == 0) {
      RunJanitor(in.get());
    }
    _exit(0);
  }
  if (middle > 0) {
    while (waitpid(middle, nullptr, 0) < 0 && errno == EINTR) {
    }
    fcntl(out.get(), F_SETFL, O_NONBLOCK);
    list_ = std::move(out);
  }
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void Janitor::Remove(const std::string& folder) {
  if (!list_.valid()) {
    StartProcess();
  }
  const auto bytes = folder.size() + 1;
  // When it does not keep up (or could not be started), the work is done here.
  if (!list_.valid() || write(list_.get(), folder.c_str(), bytes) != static_cast<ssize_t>(bytes)) {
    RemoveTree(folder);
  }
}

}  // namespace executors::sandboxes
