// SPDX-License-Identifier: Apache-2.0
// `--as-nobody`: the same tests without root's rights, when they are there to give up.
#include <cstdio>
#include <cstring>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace {

constexpr unsigned kNobody = 65534;

bool BecomeNobody() {
  if (geteuid() != 0) {
    return true;
  }
  return setgroups(0, nullptr) == 0 && setresgid(kNobody, kNobody, kNobody) == 0 &&
         setresuid(kNobody, kNobody, kNobody) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc > 1 && std::strcmp(argv[1], "--as-nobody") == 0) {
    if (!BecomeNobody() || access(DAYFLY_KEEPER, X_OK) != 0) {
      std::printf("skipped: cannot become nobody, or nobody cannot reach %s\n", DAYFLY_KEEPER);
      return 0;
    }
  }
  return RUN_ALL_TESTS();
}
