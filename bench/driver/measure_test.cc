// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/measure.h"

#include <gtest/gtest.h>

namespace bench::driver {
namespace {

TEST(Run, TellsTheExitCode) {
  EXPECT_EQ(Measure({.argv = {"sh", "-c", "exit 7"}}).exit_code, 7);
  EXPECT_EQ(Measure({.argv = {"sh", "-c", "kill -9 $$"}}).exit_code, -1);
  EXPECT_EQ(Measure({.argv = {"no-such-program-here"}, .errors = "/dev/null"}).exit_code, 127);
}

TEST(Run, PassesEnvironmentAndFolder) {
  EXPECT_EQ(Measure({.argv = {"sh", "-c", "test \"$A\" = b && test \"$PWD\" = /"},
                     .env = {"A=b"},
                     .folder = "/"})
                .exit_code,
            0);
}

}  // namespace
}  // namespace bench::driver
