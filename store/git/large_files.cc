// SPDX-License-Identifier: Apache-2.0
#include "store/git/large_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

namespace store::git {
namespace {

constexpr std::string_view kFirstLine = "version https://git-lfs.github.com/spec/v1\n";
constexpr std::string_view kDigestKey = "oid sha256:";
constexpr std::size_t kDigits = 64;
/// Longer texts are no pointers.
constexpr std::size_t kPointerMost = 1024;

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::optional<std::string> LargeFileDigest(std::string_view blob) {
  if (blob.size() >= kPointerMost || !blob.starts_with(kFirstLine)) {
    return std::nullopt;
  }
  for (std::string_view rest = blob; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::string_view digest =
        line.starts_with(kDigestKey) ? line.substr(kDigestKey.size()) : std::string_view();
    if (digest.size() == kDigits && IsHex(digest)) {
      return std::string(digest);
    }
  }
  return std::nullopt;
}

std::optional<std::string> FindLargeFile(std::string_view blob,
                                         const std::vector<std::string>& folders) {
  if (folders.empty()) {
    return std::nullopt;
  }
  const std::optional<std::string> digest = LargeFileDigest(blob);
  if (!digest.has_value()) {
    return std::nullopt;
  }
  for (const std::string& folder : folders) {
    std::string path =
        fmt::format("{}/{}/{}/{}", folder, digest->substr(0, 2), digest->substr(2, 2), *digest);
    std::error_code ignored;
    if (std::filesystem::is_regular_file(path, ignored)) {
      return path;
    }
  }
  return std::nullopt;
}

}  // namespace store::git
