// SPDX-License-Identifier: Apache-2.0
#include "engine/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace engine::base {

void CheckFailed(const char* file, int line, const char* expression, const char* why) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s %s\n", file, line, expression, why);
  std::abort();
}

}  // namespace engine::base
