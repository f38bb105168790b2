// SPDX-License-Identifier: Apache-2.0
// The layering table of ARCHITECTURE.md, and the check of every include against it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "tests/repo/findings.h"
#include "tests/repo/tree.h"

namespace tests::repo {

struct Layer {
  bool any_of_ours = false;
  std::set<std::string, std::less<>> may_include;
  bool any_third_party = false;
  std::set<std::string, std::less<>> third_parties;
};
/// By folder; a source belongs to the longest folder that its path lies in.
using Layers = std::map<std::string, Layer, std::less<>>;

/// Reads the table with the header `| folder | is | may include | third parties |`.
Layers ParseLayers(std::string_view document);

/// The folder of `layers` that `path` belongs to; nothing when no row covers it.
std::optional<std::string> LayerOf(const Layers& layers, std::string_view path);

/// The name of the third party a header belongs to (`sqlite3.h` → `sqlite`): empty for the standard
/// library, the system and what everyone may use; nothing for a header this test does not know.
std::optional<std::string> ThirdPartyOf(std::string_view header);

/// Includes that the table does not allow, headers nobody knows, folders without a row.
Findings CheckLayers(const Tree& tree, const Layers& layers);
/// A row that may include itself over others, one finding a cycle.
Findings CheckCycles(const Layers& layers);

}  // namespace tests::repo
