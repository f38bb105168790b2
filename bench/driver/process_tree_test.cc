// SPDX-License-Identifier: Apache-2.0
#include "bench/driver/process_tree.h"

#include <array>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace bench::driver {
namespace {

/// A shell that waits for another shell that says it is up and waits for its input to end.
class TwoShells : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    ASSERT_EQ(::pipe(in.data()), 0);
    ASSERT_EQ(::pipe(out.data()), 0);
    pid_ = ::fork();
    ASSERT_GE(pid_, 0);
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::close(in[1]);
      ::execlp("sh", "sh", "-c", "sh -c 'echo up; read x; true'; true", nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    char byte = 0;
    ASSERT_EQ(::read(out[0], &byte, 1), 1);
    ::close(out[0]);
  }
  void TearDown() override {
    ::close(input_);
    ::waitpid(pid_, nullptr, 0);
  }

  pid_t pid_ = -1;
  int input_ = -1;
};

TEST_F(TwoShells, AreBothInTheTree) {
  EXPECT_EQ(Descendants(pid_).size(), 2U);
}

TEST_F(TwoShells, UseMoreMemoryThanOne) {
  EXPECT_GT(ResidentBytes(pid_), 0U);
  EXPECT_GT(TreeResidentBytes(pid_), ResidentBytes(pid_));
}

}  // namespace
}  // namespace bench::driver
