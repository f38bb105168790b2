// SPDX-License-Identifier: Apache-2.0
// Errors at fallible borders. Debian's absl has a string_view of its own, so messages are built
// here with fmt and converted in this one place; nobody else writes `absl::string_view`.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <fmt/format.h>

namespace engine::base {

using absl::Status;
using absl::StatusOr;

inline Status OkStatus() {
  return absl::OkStatus();
}

/// A status of `code` whose message is `text`.
Status MakeStatus(absl::StatusCode code, std::string_view text);

/// The message as an ordinary string view; lives as long as `status`.
std::string_view Message(const Status& status);

#define ENGINE_BASE_STATUS(Name, Code)                                                           \
  template <typename... Args>                                                                    \
  Status Name(fmt::format_string<Args...> format, Args&&... args) {                              \
    return MakeStatus(absl::StatusCode::Code, fmt::format(format, std::forward<Args>(args)...)); \
  }
ENGINE_BASE_STATUS(InvalidArgument, kInvalidArgument)
ENGINE_BASE_STATUS(NotFound, kNotFound)
ENGINE_BASE_STATUS(AlreadyExists, kAlreadyExists)
ENGINE_BASE_STATUS(FailedPrecondition, kFailedPrecondition)
ENGINE_BASE_STATUS(ResourceExhausted, kResourceExhausted)
ENGINE_BASE_STATUS(PermissionDenied, kPermissionDenied)
ENGINE_BASE_STATUS(Aborted, kAborted)
ENGINE_BASE_STATUS(Unavailable, kUnavailable)
ENGINE_BASE_STATUS(Unimplemented, kUnimplemented)
ENGINE_BASE_STATUS(Internal, kInternal)
ENGINE_BASE_STATUS(DataLoss, kDataLoss)
ENGINE_BASE_STATUS(Cancelled, kCancelled)
#undef ENGINE_BASE_STATUS

/// Status of a failed system call: the code that fits `error_number`, and "<what>: <strerror>".
Status FromErrno(int error_number, std::string_view what);

/// `status` with "<prefix>: " in front of its message; OK stays OK.
Status Annotate(const Status& status, std::string_view prefix);

}  // namespace engine::base

/// Returns from the calling function when `expr` is not OK.
#define RETURN_IF_ERROR(expr)                 \
  do {                                        \
    if (auto status_ = (expr); !status_.ok()) \
      return status_;                         \
  } while (false)

/// `ASSIGN_OR_RETURN(auto x, F());` binds the value or returns the status.
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL_(ENGINE_BASE_CONCAT_(status_or_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_IMPL_(var, lhs, expr) \
  auto var = (expr);                           \
  if (!var.ok())                               \
    return std::move(var).status();            \
  lhs = std::move(*var)
#define ENGINE_BASE_CONCAT_(a, b) ENGINE_BASE_CONCAT_IMPL_(a, b)
#define ENGINE_BASE_CONCAT_IMPL_(a, b) a##b
