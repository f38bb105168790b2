// SPDX-License-Identifier: Apache-2.0
// Large file storage: a tree holds a small text in the place of a file, whose content stands by its
// digest elsewhere. Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store::git {

/// The SHA-256 that a pointer names, in hexadecimal digits; nothing: `blob` is no pointer.
std::optional<std::string> LargeFileDigest(std::string_view blob);

/// The file that holds what `blob` points to, in the first of `folders` (`lfs/objects` of a
/// repository each) that has it. Nothing: it is no pointer, or the content is not here.
std::optional<std::string> FindLargeFile(std::string_view blob,
                                         const std::vector<std::string>& folders);

}  // namespace store::git
