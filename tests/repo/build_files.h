// SPDX-License-Identifier: Apache-2.0
// Every source is built, under a library named like its folder.
#pragma once

#include "tests/repo/findings.h"
#include "tests/repo/tree.h"

namespace tests::repo {

/// A `.cc`, `.h` or `.proto` that no `CMakeLists.txt` of its folder or a parent folder names.
Findings CheckSourcesAreBuilt(const Tree& tree);

/// A `dayfly_library` whose name is not its folder's path with `_` for `/`; a second one in
/// a folder goes on after it.
Findings CheckLibraryNames(const Tree& tree);

}  // namespace tests::repo
