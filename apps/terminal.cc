// SPDX-License-Identifier: Apache-2.0
#include "apps/terminal.h"

#include <cstdlib>
#include <ctime>
#include <string_view>
#include <unistd.h>

namespace apps {
namespace {

std::string_view Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool HasUnicode() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (const std::string_view text = Variable(name); !text.empty()) {
      return text.find("UTF-8") != std::string_view::npos ||
             text.find("utf8") != std::string_view::npos ||
             text.find("UTF8") != std::string_view::npos;
    }
  }
  return false;
}

}  // namespace

bool IsLiveTerminal(int descriptor) {
  return isatty(descriptor) == 1 && Variable("TERM") != "dumb";
}

view::Look LookOf(int descriptor) {
  return {.color = IsLiveTerminal(descriptor) && Variable("NO_COLOR").empty(),
          .unicode = HasUnicode()};
}

engine::base::Instant WallClock() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return engine::base::InstantFromMicros(now.tv_sec * 1'000'000 + now.tv_nsec / 1000);
}

}  // namespace apps
