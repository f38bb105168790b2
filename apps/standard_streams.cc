// SPDX-License-Identifier: Apache-2.0
#include "apps/standard_streams.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "apps/exit_code.h"

namespace apps {
namespace {

bool ReaderIsGone() {
  pollfd output{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

}  // namespace

void OpenMissingStreams() {
  int descriptor = 0;
  do {
    descriptor = open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor >= 0) {
    close(descriptor);
  }
}

void Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

int FlushOutput(int exit_code) {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  const int error = flushed ? 0 : errno;
  if ((flushed && std::ferror(stdout) == 0) || exit_code != kExitOk || ReaderIsGone()) {
    return exit_code;
  }
  return error == 0
             ? Fail(kExitEngine, "standard output could not be written")
             : Fail(kExitEngine,
                    engine::base::Message(engine::base::FromErrno(error, "standard output")));
}

}  // namespace apps
