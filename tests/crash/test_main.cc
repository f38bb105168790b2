// SPDX-License-Identifier: Apache-2.0
// Processes that lose their parent become children of this one, so that the tests can see whether
// a dead run leaves any behind.
#include <csignal>
#include <sys/prctl.h>

#include <gtest/gtest.h>

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  return RUN_ALL_TESTS();
}
