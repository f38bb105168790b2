// SPDX-License-Identifier: Apache-2.0
#include "engine/base/status.h"

#include <cerrno>
#include <system_error>

namespace engine::base {

Status MakeStatus(absl::StatusCode code, std::string_view text) {
  return Status(code, {text.data(), text.size()});
}

std::string_view Message(const Status& status) {
  const auto message = status.message();
  return {message.data(), message.size()};
}

static absl::StatusCode CodeOfErrno(int error_number) {
  switch (error_number) {
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
      return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return absl::StatusCode::kResourceExhausted;
    case EAGAIN:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

Status FromErrno(int error_number, std::string_view what) {
  const std::string reason = std::generic_category().message(error_number);
  return MakeStatus(CodeOfErrno(error_number), fmt::format("{}: {}", what, reason));
}

Status Annotate(const Status& status, std::string_view prefix) {
  if (status.ok()) {
    return status;
  }
  return MakeStatus(status.code(), fmt::format("{}: {}", prefix, Message(status)));
}

}  // namespace engine::base
