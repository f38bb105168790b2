// SPDX-License-Identifier: Apache-2.0
// Tells a tree that somebody uploaded from a git tree: `RunContext::tree` names either.
#pragma once

#include <optional>
#include <string_view>

#include "engine/base/digest.h"

namespace engine::model {

/// The manifest of an uploaded tree, an artifact; nothing when `tree` is empty or a git tree's id,
/// which is shorter.
inline std::optional<base::Digest> UploadedTree(std::string_view tree) {
  return base::DigestFromHex(tree);
}

}  // namespace engine::model
