// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/bare_spawn.h"

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace bench::driver {
namespace {

struct Child {
  pid_t pid = -1;
  int output = -1;
};

Child Start(const std::string& command) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    return {};
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
  std::array<char*, 2> argv{const_cast<char*>(command.c_str()), nullptr};
  Child child{.output = pipe[0]};
  if (::posix_spawnp(&child.pid, argv[0], &actions, nullptr, argv.data(), environ) != 0) {
    child.pid = -1;
  }
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  return child;
}

/// One layer: `count` jobs, at most `slots` at a time.
class Layer {
 public:
  Layer(const std::string& command, std::size_t count, int slots)
      : command_(command), left_(count), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    children_.resize(static_cast<std::size_t>(slots));
  }
  ~Layer() { ::close(poll_); }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  bool Run() {
    for (std::size_t slot = 0; slot < children_.size() && left_ > 0; ++slot) {
      Refill(slot);
    }
    while (running_ > 0 && good_) {
      epoll_event event{};
      if (::epoll_wait(poll_, &event, 1, -1) == 1) {
        Drain(event.data.u64);
      }
    }
    return good_;
  }

 private:
  void Refill(std::size_t slot) {
    children_[slot] = Start(command_);
    good_ = good_ && children_[slot].pid > 0;
    epoll_event event{.events = EPOLLIN, .data = {.u64 = slot}};
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, children_[slot].output, &event);
    --left_;
    ++running_;
  }

  void Drain(std::size_t slot) {
    std::array<char, 65536> bytes{};
    if (::read(children_[slot].output, bytes.data(), bytes.size()) > 0) {
      return;
    }
    ::epoll_ctl(poll_, EPOLL_CTL_DEL, children_[slot].output, nullptr);
    ::close(children_[slot].output);
    int status = 0;
    ::waitpid(children_[slot].pid, &status, 0);
    good_ = good_ && status == 0;
    --running_;
    if (left_ > 0) {
      Refill(slot);
    }
  }

  const std::string& command_;
  std::size_t left_;
  int poll_;
  std::vector<Child> children_;
  std::size_t running_ = 0;
  bool good_ = true;
};

}  // namespace

int BareSpawn(const Shape& shape, const std::string& command, int slots) {
  for (std::size_t layer = 0; layer < shape.layers; ++layer) {
    if (!Layer(command, shape.width, slots).Run()) {
      std::fputs("bare spawn: a command failed\n", stderr);
      return 1;
    }
  }
  return 0;
}

}  // namespace bench::driver
