// SPDX-License-Identifier: Apache-2.0
#include "engine/base/http_address.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace engine::base {
namespace {

bool IsPort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && stop == text.data() + text.size() && port != 0;
}

}  // namespace

StatusOr<HttpAddress> ParseHttpAddress(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) {
    return InvalidArgument("'{}' does not begin with {}", text, kScheme);
  }
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) {
    return InvalidArgument("'{}' holds a space", text);
  }
  HttpAddress address;
  const std::size_t path = std::min(text.find_first_of("/?#", kScheme.size()), text.size());
  if (path < text.size() && text[path] != '/') {
    return InvalidArgument("'{}': a path begins with '/'", text);
  }
  if (path < text.size()) {
    address.path = text.substr(path);
  }
  std::string_view host = text.substr(kScheme.size(), path - kScheme.size());
  if (host.find('@') != std::string_view::npos) {
    return InvalidArgument("'{}' names a user: only a host and a port can stand before the path",
                           text);
  }
  if (host.starts_with('[') != (host.find(']') != std::string_view::npos)) {
    return InvalidArgument("'{}': a bracket is missing around the host", text);
  }
  const std::size_t colon = host.rfind(':');
  // Colons in brackets are those of an IPv6 address.
  if (colon != std::string_view::npos && !host.ends_with(']')) {
    address.port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (!IsPort(address.port)) {
    return InvalidArgument("'{}': '{}' is no port, which is 1 to 65535", text, address.port);
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty()) {
    return InvalidArgument("'{}' names no host", text);
  }
  address.host = host;
  return address;
}

}  // namespace engine::base
