// SPDX-License-Identifier: Apache-2.0
#include "engine/base/status.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace engine::base {
namespace {

StatusOr<int> Half(int number) {
  if (number % 2 != 0) {
    return InvalidArgument("{} is odd", number);
  }
  return number / 2;
}

StatusOr<int> Quarter(int number) {
  ASSIGN_OR_RETURN(const int half, Half(number));
  ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

TEST(AssignOrReturn, BindsOrPassesTheErrorOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Message(Quarter(6).status()), "3 is odd");
}

TEST(FromErrno, PicksTheCodeACallerCanActOn) {
  EXPECT_EQ(FromErrno(ENOSPC, "write").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(FromErrno(ENOENT, "open").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Message(FromErrno(ENOENT, "open x")), "open x: No such file or directory");
}

TEST(Annotate, PutsThePlaceInFrontAndLeavesOkAlone) {
  EXPECT_TRUE(Annotate(OkStatus(), "x").ok());
  const Status status = Annotate(NotFound("no {}", "y"), "x");
  EXPECT_EQ(Message(status), "x: no y");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace engine::base
