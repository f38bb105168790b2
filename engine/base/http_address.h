// SPDX-License-Identifier: Apache-2.0
// `http://host[:port][/path]`, in its parts.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace engine::base {

struct HttpAddress {
  std::string host;         ///< an IPv6 address without its brackets
  std::string port = "80";  ///< 1 to 65535
  std::string path = "/";   ///< with the query
  friend bool operator==(const HttpAddress&, const HttpAddress&) = default;
};

/// INVALID_ARGUMENT says what is wrong with it.
StatusOr<HttpAddress> ParseHttpAddress(std::string_view text);

}  // namespace engine::base
